"""What `evaluate` measures of images beyond the losses: a list of functions for each data set.

Each function takes the run and returns ({name: (value, meaning)}, notes), where notes are lines
that say what could not be measured.
"""
from ..analysis import disentanglement

LEAST = 1000                    # examples without which measures of disentanglement mean nothing


def known_factors(run):
    """Measure how well the code keeps the factors of shapes apart."""
    x = run.x_test
    if run.is_conditional:
        return {}, ["disentanglement: left out, as a conditional model is told the shape"]
    if len(x) < LEAST:
        return {}, [f"disentanglement: needs {LEAST:,} test examples, there are {len(x):,}"]
    values = disentanglement.evaluate(run.model, x, run.config["seed"])
    notes = []
    if "dci_disentanglement" not in values:
        notes.append("DCI: needs scikit-learn, pip install 'scratchvae[sklearn]'")
    return {name: (value, disentanglement.MEANINGS[name]) for name, value in values.items()}, notes


BY_DATA = {"shapes": (known_factors,)}


def more_measures(run):
    """Return {name: {"value", "meaning"}} and notes, of all measures for the run's data set."""
    found = {}
    notes = []
    for measure in () if run.has_own else BY_DATA.get(run.lab.data, ()):
        values, lines = measure(run)
        notes += lines
        found |= {name: {"value": value, "meaning": meaning}
                  for name, (value, meaning) in values.items()}
    return found, notes
