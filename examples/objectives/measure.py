"""Trains the labs with every objective that they can have, and writes one table of all.

    python examples/objectives/measure.py FOLDER
    python examples/objectives/measure.py FOLDER --lab mnist-dense --lab text-gru

FOLDER gets a run for each lab and objective, `objectives.csv` and `objectives.md`. The same command
goes on where it was stopped. The trainings are short, so the rows of a lab say how its objectives
compare, not what the lab can reach. `scratchvae labs` shows the table that is committed with the
library.

All is of the test set. -log p(x) is estimated for 200 examples, from 200 points z of each. The
Frechet distance compares as many samples as there are test images with training images. A column
is empty where it has no meaning: only images have a Frechet distance, and a VQ model has neither
log p(x) nor a normal code. Times are of the processor, for the training.
"""
import csv
import json
import resource
import subprocess
import sys
from pathlib import Path

import click
import numpy as np

from scratchvae.analysis import metrics
from scratchvae.analysis.frechet import frechet_distance
from scratchvae.analysis.image_classifier import judge_of, looked_at
from scratchvae.analysis.image_measures import Sets
from scratchvae.models import VAE
from scratchvae.runs import open_run

SEED = 0
EXAMPLES = 200                  # whose likelihood is estimated
POINTS = 200                    # z, for each of them
# What every run of a lab has in common: epochs, examples, settings.
LABS = {
    "mnist-dense": (10, 60_000, {}),
    "fashion-conv": (1, 20_000, {}),
    "mnist-conv": (4, 20_000, {"latent_dim": 8}),
    "mnist-latent8": (1, 20_000, {"activations": "deepobs"}),
    "mnist-batchnorm": (3, 60_000, {"reconstruction_scale": 784}),
    "shapes-beta": (3, 20_000, {}),
    "text-gru": (4, 5_000, {}),
    "shakespeare-vae": (2, 10_000, {"kl_schedule": "constant"}),
}
TEXT = ("text-gru", "shakespeare-vae")
# The settings of an objective.
PLAIN = {"kl_weight": 1}
OBJECTIVES = {
    "elbo": PLAIN,
    "beta, 4": {"kl_weight": 4},
    "capacity, 10": {"objective": "capacity", "kl_weight": 10, "capacity": 10},
    "beta_tc, 6": {"objective": "beta_tc", **PLAIN},
    "info_vae": {"objective": "info_vae", **PLAIN},
    "iwae, 5": {"objective": "iwae", **PLAIN},
    "vq": {"objective": "vq", **PLAIN},
    "conditional": {"conditional": 1, **PLAIN},
}
IMAGES_ONLY = ("iwae, 5", "vq", "conditional")
COLUMNS = ("objective", "loss", "reconstruction", "kl", "nll", "frechet", "active_units",
           "cpu_minutes")
HEADINGS = ("lab", "objective", "loss", "reconstruction", "KL", "-log p(x)", "Frechet",
            "active units", "CPU minutes")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--lab", "names", multiple=True, type=click.Choice(LABS),
              help="Can be repeated.  [default: all]")
def main(folder, names):
    """Train, evaluate, and write the table."""
    rows = []
    for lab in names or LABS:
        for objective in OBJECTIVES:
            if lab in TEXT and objective in IMAGES_ONLY:
                continue
            rows.append(measured(folder / f"{lab}-{objective.replace(', ', '-')}", lab, objective))
            click.echo(" ".join(rows[-1].values()))
    with open(folder / "objectives.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    (folder / "objectives.md").write_text(markdown(rows), encoding="utf-8")


def markdown(rows):
    """Return the table as it stands in RESULTS.md."""
    lines = [f"| {' | '.join(HEADINGS)} |", f"|{'---|' * len(HEADINGS)}"]
    for row in rows:
        first = row["objective"] == "elbo"
        length = f"{row['epochs']} epoch{'s' * (row['epochs'] != '1')}"
        lab = f"`{row['lab']}`, {length} of {int(row['examples']):,}" if first else ""
        lines.append(f"| {lab} | {' | '.join(row[column] for column in COLUMNS)} |")
    return "\n".join(lines) + "\n"


def measured(folder, lab, objective):
    """Train and measure a run, unless that is done, and return its row of the table, as text."""
    path = folder / "row.json"
    if not path.exists():
        epochs, examples, settings = LABS[lab]
        words = [word for name, value in (settings | OBJECTIVES[objective]).items()
                 for word in ("--set", f"{name}={value}")]
        before = processor_seconds()
        if folder.exists():
            scratchvae("train", lab, "--resume", folder)
        else:
            scratchvae("train", lab, "--epochs", epochs, "--limit", examples, "--seed", SEED,
                       *words, "--out", folder)
        minutes = (processor_seconds() - before) / 60
        row = {"lab": lab, "objective": objective, "epochs": epochs, "examples": examples,
               "seed": SEED, **measures(open_run(folder)), "cpu_minutes": f"{minutes:.1f}"}
        path.write_text(json.dumps({name: str(value) for name, value in row.items()}),
                        encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


def processor_seconds():
    """Return the processor time of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def scratchvae(*words):
    """Run a command of the library; raise an error if it fails."""
    subprocess.run([sys.executable, "-m", "scratchvae", *map(str, words)], check=True,
                   stdout=subprocess.DEVNULL)


def measures(run):
    """Return the losses and measures of a trained run, as text."""
    model = run.model
    x = run.x_test
    row = {name: f"{value:.4g}" for name, value in model.evaluate(x, seed=SEED).items()}
    row |= {"nll": "", "frechet": "", "active_units": ""}
    if isinstance(model, VAE):
        scores = model.score_samples(x[:EXAMPLES], samples=POINTS, seed=SEED)
        z_mean, _ = model.encode(x)
        row["nll"] = f"{-scores.mean():.4g}"
        row["active_units"] = f"{metrics.active_units(z_mean)} of {model.latent_dim}"
    if run.lab.kind == "images":
        row["frechet"] = f"{frechet(run):.4g}"
    return row


def frechet(run):
    """Return the Frechet distance of samples to training images."""
    sets = Sets(run)
    made = sets.samples() if sets.has_prior else sets.mixture()
    classifier = judge_of(run.whole_data()).classifier
    real, made = (looked_at(classifier, run.as_images(images))[0]
                  for images in (np.asarray(sets.train), made))
    return frechet_distance(made, real)




if __name__ == "__main__":
    main()
