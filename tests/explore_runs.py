"""Small trained runs, for tests of their pages."""
import pytest
from helpers import write_idx_files, write_play

from scratchvae import labs
from scratchvae.runs import create_run, new_config
from scratchvae.runs.training import train

SMALL = {                       # settings that make training and pages quick
    "mnist-dense": {"intermediate_dim": 16},
    "mnist-conv": {"filters": 3},
    "mnist-latent8": {"filters": 3, "activations": "deepobs"},
    "mnist-batchnorm": {"kl_weight": 0.01},
    "fashion-autoencoder": {"filters": 5},
    "shakespeare-vae": {"steps": 12, "embedding_dim": 6, "units": 7, "latent_dim": 3,
                        "min_count": 1},
    "text-gru": {"steps": 12, "embedding_dim": 6, "units": 8, "latent_dim": 3, "padding": "pre"},
    "shakespeare-onehot": {"intermediate_dim": 8, "latent_dim": 4},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A small trained run of each lab, by name, made when first asked for."""
    folder = tmp_path_factory.mktemp("explore")
    made = {}
    data = write_idx_files(folder / "data" / "mnist", 60, 30).parent
    write_idx_files(folder / "data" / "fashion-mnist", 60, 30)
    play = write_play(folder / "play.txt", 40)

    def get(name, **settings):
        key = (name, *settings.items())
        if key not in made:
            lab = labs.get(name)
            text = play if lab.data == "shakespeare" else None
            config = new_config(lab, lab.settings | SMALL[name] | settings, epochs=2, batch_size=10,
                                data_dir=None if text else data, text=text)
            run = create_run(folder / f"{name}-{len(made)}", config)
            train(run)
            made[key] = run
        return made[key]
    return get
