"""The model card of a run: card.md, one page that says what the model is, knows and cannot do.

Source: Mitchell et al. 2019, "Model cards for model reporting".
"""
from ...commands import command, place
from ...data.catalogue import CATALOGUE
from ...models import VAE
from ...storage import write_text
from ...training.history import History
from . import facts

PICTURES = {                    # those that a card shows, if they are drawn
    "reconstructions": "Test examples, each above its reconstruction",
    "samples": "New examples, decoded from points drawn from the prior",
}
KINDS = {                       # what an example holds
    "images": "numbers in [0, 1]",
    "tables": "rows as `scratchvae.data.load_table` returns them: standardised numbers, NaN where "
              "missing, then one-hot categories",
    "text": "indices of words, int32",
}


def write_card(run):
    """Write the run's card.md and return its path."""
    sections = [
        f"# {run.lab.name}: {run.lab.title}\n",
        f"A {run.model.name} of {run.model.count:,} parameters, trained from scratch by "
        f"scratchvae {run.config['versions']['scratchvae']} without a deep-learning framework.\n",
        *pictures(run),
        *section("Use", usage(run)),
        *section("Data", data(run)),
        *section("Model and training", table(("", ""), facts.setup(run))),
        *section("Settings", table(("setting", "value", "the lab's, if another"),
                                   facts.settings(run))),
        *section("Measures", measures(run)),
        *section("Limits", [f"- {limit}" for limit in limits(run)]),
        *section("Train it again", block("sh", facts.train_command(run))),
    ]
    path = run.folder / "card.md"
    write_text(path, "\n".join(sections))
    return path


def section(title, lines):
    """Return a section as lines."""
    return [f"## {title}\n", *lines, ""]


def table(head, rows):
    """Return a table as lines; a bar in a cell is escaped."""
    rows = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]


def block(language, text):
    """Return a block of code as lines."""
    return [f"```{language}", text, "```"]


def pictures(run):
    """Return lines that show the figures of the run which suit a card."""
    return [f"![{caption}](figures/{name}.png)\n" for name, caption in PICTURES.items()
            if (run.figures / f"{name}.png").exists()]


def usage(run):
    """Return how to load and use the model, as lines."""
    model = run.model
    given = "x, labels" if run.is_conditional else "x"
    new = "16, label=0, seed=0" if run.is_conditional else "16, seed=0"
    lines = [f"from scratchvae.models import {model.name}", "",
             f'model = {model.name}.load("weights.npz")']
    if isinstance(model, VAE):
        lines += [f"z_mean, z_log_var = model.encode({given})", f"new = model.sample({new})"]
    else:
        lines.append("z = model.encode(x)")
    if run.decodes:
        lines.append(f"scores = model.score_samples({given})")
    axes = ", ".join(map(str, model.input_shape))
    labels = ""
    if run.lab.kind == "images" and run.is_conditional:
        names = ", ".join(run.config["classes"])
        labels = f" `labels` are integers (N,), counted from 0: {names}."
    return [*block("python", "\n".join(lines)), "",
            f"`x` has the shape (N, {axes}) and holds {KINDS[run.lab.kind]}.{labels}"]


def data(run):
    """Return what the model was trained on, as lines."""
    config = run.config
    lines = [f"- {config['data']}"]
    data_set = CATALOGUE.get(run.lab.data)
    if data_set and config["data"].startswith(data_set.title):
        lines.append(f"- licence of the data: {data_set.licence}")
    lines.append(f"- measured on the {run.lab.held_out} in each epoch; not used for training")
    return lines


def measures(run):
    """Return the losses of the epoch of the weights and what `evaluate` measured, as lines."""
    rows = History.read_csv(run.folder / "history.csv").rows
    last = rows[(run.config.get("best_epoch") or len(rows)) - 1]
    losses = [(name.replace("val_", "validation "), f"{last[name]:.5g}")
              for name in ("loss", "reconstruction", "kl", "val_loss", "val_reconstruction",
                           "val_kl") if last[name] is not None]
    lines = [f"Losses of epoch {last['epoch']} ({run.lab.unit}):\n",
             *table(("loss", "value"), losses), ""]
    rows, measured_on = facts.measures(run)
    if not rows:
        return [*lines, f"Not evaluated yet: `{command('evaluate', place(run.folder))}`."]
    real = "of real lines" if run.lab.kind == "text" else "of real images"
    head = ("measure", "value", real, "meaning")
    if not any(beside for _, _, beside, _ in rows):
        head, *rows = [(name, value, meaning) for name, value, _, meaning in (head, *rows)]
    return [*lines, f"Measured on {measured_on}:\n", *table(head, rows)]


def limits(run):
    """Return what the model cannot do, each in a sentence or two."""
    found = ["It has seen nothing but the data above, and gives a code to anything of the right "
             "shape.",
             f"One training with seed {run.config['seed']}. Other seeds give other codes and "
             "slightly other losses."]
    differences = facts.differences(run)
    if differences:
        found.append("Its losses cannot be compared with the lab's reference figures: "
                     f"{'; '.join(differences)}.")
    if run.lab.kind == "text":
        found.append("It writes words of its vocabulary alone. It has no notion of truth, and can "
                     "repeat lines of its training text.")
    elif run.lab.kind == "tables":
        found.append("Given the code, its columns are independent: it knows no dependence between "
                     "columns but those through the code. Numbers have normal noise, the same for "
                     "all rows.")
    elif isinstance(run.model, VAE):
        found.append("Its images are blurred: each pixel is the mean of what the code leaves open.")
    if not isinstance(run.model, VAE):
        found.append("It cannot sample, and its scores are no log p(x): its codes follow no known "
                     "distribution.")
    elif run.decodes:
        found.append("A high log p(x) does not make an example usual: simple ones score high, "
                     "whatever they show.")
    return found
