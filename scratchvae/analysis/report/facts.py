"""The tables of the report page: each function returns rows."""
from ...commands import command, place
from ...models.summary import networks, size
from ...runs.measured import MEANINGS
from ...storage import read_json


def setup(run):
    """Return (name, value) of the data, model and settings of training, as text."""
    config = run.config
    model = run.model
    reconstruction = model.loss.name.replace("_", " ")
    versions = [f"{name} {version}" for name, version in config["versions"].items()]
    rows = [
        ("lab", run.lab.name),
        ("data", config["data"]),
        ("parameters", f"{model.count:,}"),
        ("reconstruction loss", f"{reconstruction}, times {model.loss.scale:g}"),
        ("KL weight", _kl_weight(config["settings"])),
        ("optimizer", _optimizer(run)),
        ("batch size", config["batch_size"]),
        ("epochs", f"{config['epochs']}{_ended(config)}"),
        ("seed", config["seed"]),
        ("versions", ", ".join(versions)),
        ("backend", config.get("computed_by") or config["backend"]),
    ]
    return [(name, str(value)) for name, value in rows]


def _kl_weight(settings):
    """Return the KL weight and its schedule in words."""
    schedule = settings.get("kl_schedule")
    if not schedule:
        return "no KL term (plain autoencoder)"
    return f"{settings['kl_weight']:g}, {schedule}"


def _ended(config):
    """Return in words what early stopping did."""
    if not config.get("best_epoch"):
        return ""
    stopped = config["stopped_epoch"]
    end = f"stopped after {stopped}; " if stopped else ""
    return f" at most; {end}the weights are those of epoch {config['best_epoch']}"


def _optimizer(run):
    """Return the optimizer and its arguments in words."""
    return _in_words(run.make_optimizer().get_config())


def _in_words(config):
    """Return the class and the arguments of an optimizer or a schedule."""
    arguments = [f"{name} {_value(value)}" for name, value in config.items()
                 if name != "class" and value is not None]
    return f"{config['class']}: {', '.join(arguments)}"


def _value(value):
    """Return an argument as text: a number, a list, or a schedule in parentheses."""
    if isinstance(value, dict):
        return f"({_in_words(value)})"
    return f"{value:g}" if isinstance(value, float) else str(value)


def settings(run):
    """Return (name, value, the lab's default if it differs) of each setting, as text."""
    defaults = run.lab.defaults
    return [(name, f"{value}", f"{defaults[name]}" if value != defaults[name] else "")
            for name, value in run.config["settings"].items()]


def differences(run):
    """Return the reasons, in words, why the lab's reference figures do not apply to this run."""
    config = run.config
    defaults = run.lab.defaults
    reasons = [f"{name} is {value} instead of {defaults[name]}"
               for name, value in config["settings"].items() if value != defaults[name]]
    if config["batch_size"] != run.lab.batch_size:
        reasons.append(f"batches of {config['batch_size']} instead of {run.lab.batch_size}")
    if config["limit"]:
        reasons.append(f"only the first {config['limit']:,} examples were used")
    if config.get("images"):
        reasons.append("the images are your own")
    elif config.get("csv"):
        reasons.append("the table is your own")
    elif not config["complete"]:
        reasons.append("the data are not the whole published set")
    return reasons


def references(run, rows):
    """Return the lab's reference figures beside the figures of this run.

    Parameters
    ----------
    run : Run
    rows : list of dict
        The rows of its history.

    Returns
    -------
    list of (epoch, source, training, validation)
        training and validation are (theirs, ours, relative difference) of a loss, as text; a cell
        is empty if its number is unknown. The list is empty if the run is not comparable.
    """
    by_epoch = {row["epoch"]: row for row in rows}
    result = []
    for reference in run.references:
        ours = by_epoch.get(reference.epoch, {})
        training = _compare(reference.loss, ours.get("loss"))
        validation = _compare(reference.val_loss, ours.get("val_loss"))
        result.append((reference.epoch, reference.source, training, validation))
    return result


def _compare(theirs, ours):
    """Return (theirs, ours, relative difference) as text."""
    difference = ""
    if ours is not None and isinstance(theirs, float):
        rounded = round(ours / theirs - 1, 3) + 0.0             # + 0.0 turns -0.0 into 0.0
        difference = f"{rounded:+.1%}"
    return _number(theirs), _number(ours), difference


def _number(value):
    """Return a number to five digits; None is empty, and text stays as it is."""
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:.5g}"


def measures(run):
    """Return the rows of evaluation.json, and what they were measured on.

    Returns
    -------
    rows : list of (name, value, value of real lines or images, meaning)
        Empty if the run has not been evaluated.
    measured_on : str
    """
    path = run.folder / "evaluation.json"
    if not path.exists():
        return [], ""
    content = read_json(path, dict)
    if "examples" not in content:
        return [_measure(measure) for measure in content.values()], run.config["data"]
    rows = [(name, f"{content[name]:#.5g}", "", meaning) for name, meaning in MEANINGS.items()]
    rows.append(("loss of the last batch", f"{content['last_batch']['loss']:#.5g}", "",
                 "some lab sheets print this in place of the mean over all batches"))
    rows += [_measure({"real": None, "name": name.replace("_", " ")} | measure)
             for name, measure in content.get("measures", {}).items()]
    measured_on = f"{content['examples']:,} test examples{run.model.how_measured}"
    return rows, "; ".join([measured_on, content["data"], *content.get("notes", ())])


def _measure(measure):
    """Return the row of a measure of text or images."""
    beside = measure["beside"] if "beside" in measure else measure["real"]
    beside = "" if beside is None else f"{beside:.4g}"
    return measure["name"], f"{measure['value']:.4g}", beside, measure["meaning"]


def layer_tables(model):
    """Return (network, layers, parameters) of each network of a model, as text.

    layers has (layer, output shape, parameters) of each layer.
    """
    tables = []
    for part, rows in networks(model).items():
        layers = [(f"{name} ({type(layer).__name__})", str((None, *layer.output_shape)),
                   f"{size(layer):,}") for name, layer in rows]
        total = sum(size(layer) for _, layer in rows)
        tables.append((part, layers, f"{total:,}"))
    return tables


def train_command(run):
    """Return the command that trains this run again from its first step."""
    config = run.config
    words = ["train", run.lab.name]
    words += ["--epochs", config["epochs"]]
    words += ["--batch-size", config["batch_size"]]
    words += ["--seed", config["seed"]]
    for name in ("limit", "data_dir", "text", "images", "csv"):
        if config.get(name):
            words += [f"--{name.replace('_', '-')}", config[name]]
    for name in ("drop", "categorical"):
        for column in config.get(name) or ():
            words += [f"--{name}", column]
    if config.get("size"):
        words += ["--size", "x".join(map(str, config["size"]))]
    if config.get("grey"):
        words += ["--grey"]
    if config["backend"] != "cpu":
        words += ["--backend", config["backend"]]
    for name, value in config["settings"].items():
        if value != run.lab.defaults[name]:
            words += ["--set", f"{name}={value}"]
    return command(*words)


def resume_command(run):
    """Return the command that resumes the training of this run."""
    return command("train", run.lab.name, "--resume", place(run.folder))


def later_commands(run):
    """Return (command, what it does) for a trained run."""
    return [(command("evaluate", place(run.folder)), "compute the measures again"),
            (command("plot", place(run.folder)), "draw all figures again")]
