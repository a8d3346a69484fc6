"""What the page says of a run in tables: each function returns rows."""
import shlex

from ...runs.run import MEANINGS
from ...storage import read_json
from ...models.summary import networks, size


def setup(run):
    """(what, value) of what was trained, on what, and by what."""
    config, model = run.config, run.model
    optimizer = run.lab.make_optimizer(config["settings"]).get_config()
    kind = optimizer.pop("class")
    schedule = config["settings"].get("kl_schedule")
    versions = ", ".join(f"{name} {version}" for name, version in config["versions"].items())
    rows = [("lab", run.lab.name), ("data", config["data"]), ("parameters", f"{model.count:,}"),
            ("reconstruction loss", f"{model.loss.name.replace('_', ' ')}, times {model.loss.scale:g}"),
            ("KL weight", f"{config['settings']['kl_weight']:g}, {schedule}" if schedule else "no KL term: a plain autoencoder"),
            ("optimizer", f"{kind}: " + ", ".join(f"{name} {value:g}" for name, value in optimizer.items() if value is not None)),
            ("batches of", config["batch_size"]), ("epochs", config["epochs"]), ("seed", config["seed"]), ("versions", versions),
            ("backend", config.get("computed_by") or config["backend"])]
    return [(what, str(value)) for what, value in rows]


def settings(run):
    """(name, value, the lab's own value where this one differs) of the lab's settings."""
    own = run.lab.settings
    return [(name, f"{value}", f"{own[name]}" if value != own[name] else "") for name, value in run.config["settings"].items()]


def differences(run):
    """Why the lab's reference figures can't be compared with this run, in words; empty if they can."""
    config, lab, own = run.config, run.lab, run.lab.settings
    reasons = [f"{name} is {value} in place of {own[name]}" for name, value in config["settings"].items() if value != own[name]]
    if config["batch_size"] != lab.batch_size:
        reasons.append(f"batches of {config['batch_size']} in place of {lab.batch_size}")
    if config["limit"]:
        reasons.append(f"only the first {config['limit']:,} examples were used")
    if not config["complete"]:
        reasons.append("its data are not the whole published set")
    return reasons


def references(run, rows):
    """(epoch, source, (theirs, ours, difference) for training, the same for validation) of figures that can be compared."""
    ours = {row["epoch"]: row for row in rows}
    return [(r.epoch, r.source, *(beside(getattr(r, column), ours.get(r.epoch, {}).get(column)) for column in ("loss", "val_loss")))
            for r in run.references]


def beside(theirs, ours):
    """(theirs, ours, difference) as text."""
    difference = f"{round(ours / theirs - 1, 3) + 0.0:+.1%}" if ours is not None and isinstance(theirs, float) else ""
    return tuple("" if value is None else value if isinstance(value, str) else f"{value:.5g}" for value in (theirs, ours)) + (difference,)


def measures(run):
    """(name, value, that of real lines, meaning) of evaluation.json, and what it was measured on; no rows if there is none."""
    path = run.folder / "evaluation.json"
    if not path.exists():
        return [], ""
    content = read_json(path, dict)
    if "examples" not in content:
        return [(m["name"], f"{m['value']:.4g}", "" if m["beside"] is None else f"{m['beside']:.4g}", m["meaning"])
                for m in content.values()], run.config["data"]
    rows = [(name, f"{content[name]:#.5g}", "", meaning) for name, meaning in MEANINGS.items()]
    last = ("loss of the last batch", f"{content['last_batch']['loss']:#.5g}", "", "alone, which some sheets print in place of the mean")
    return [*rows, last], f"{content['examples']:,} test examples{run.model.how_measured}; {content['data']}"


def layer_tables(model):
    """(network, (layer, output shape, parameters) of each layer, parameters) of each network."""
    return [(part, [(f"{name} ({type(layer).__name__})", str((None, *layer.output_shape)), f"{size(layer):,}") for name, layer in rows],
             f"{sum(size(layer) for _, layer in rows):,}") for part, rows in networks(model).items()]


def train_command(run):
    """The command that trains this run again, from its first step."""
    config, lab = run.config, run.lab
    words = ["scratchvae", "train", lab.name, "--epochs", config["epochs"], "--batch-size", config["batch_size"], "--seed", config["seed"]]
    for name in ("limit", "data_dir", "text"):
        words += [f"--{name.replace('_', '-')}", config[name]] if config.get(name) else []
    words += ["--backend", config["backend"]] if config["backend"] != "cpu" else []
    for name, value in config["settings"].items():
        words += ["--set", f"{name}={value}"] if value != lab.settings[name] else []
    return shlex.join(map(str, words))


def resume_command(run):
    """The command that goes on with it."""
    return shlex.join(["scratchvae", "train", run.lab.name, "--resume", str(run.folder)])


def later_commands(run):
    """(command, what it does) for a trained run."""
    return [(shlex.join(["scratchvae", command, str(run.folder)]), what) for command, what in
            (("evaluate", "measures it"), ("plot", "draws all of its figures anew"))]
