"""What config.json may hold."""
import json

import pytest

from scratchvae import labs
from scratchvae.errors import ScratchVAEError
from scratchvae.runs import new_config
from scratchvae.runs.config import read_config


def write(folder, name="mnist-dense", **changes):
    """Write a config.json with some values changed."""
    config = new_config(labs.get(name)) | changes
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize("name", labs.LABS)
def test_what_is_written_can_be_read(tmp_path, name):
    write(tmp_path, name)
    assert read_config(tmp_path)["lab"] == name


@pytest.mark.parametrize("changes, message", [
    ({"settings": True}, "settings must be dict, got True"),
    ({"settings": {}}, "setting intermediate_dim must be int, got None"),
    ({"versions": []}, r"versions must be dict, got \[\]"),
    ({"epochs": 1e99}, "epochs must be int, got 1e.99"),
    ({"epochs": True}, "epochs must be int, got True"),
    ({"limit": 0}, "limit must be at least 1, got 0"),
    ({"seed": -1}, "seed must be at least 0, got -1"),
    ({"backend": "gpu"}, "backend must be one of cpu, reference, cuda, got 'gpu'"),
    ({"lab": "digits"}, "digits"),
    ({"data_sha256": 7}, "data_sha256 must be str or null, got 7"),
])
def test_wrong_values_are_damage(tmp_path, changes, message):
    write(tmp_path, **changes)
    with pytest.raises(ScratchVAEError, match=f"config.json: damaged .*{message}"):
        read_config(tmp_path)
