"""The command that trains a lab."""
import os
import sys
import warnings
from pathlib import Path

import click

from .. import kernels, labs
from ..commands import command, place
from ..errors import ScratchVAEError
from ..labs.common import NEED_LENGTH
from ..runs import create_run, make_run, new_config, open_run
from ..runs.lock import discard_if_unused
from ..runs.training import train as train_run
from ..shards import ONE, started
from .arguments import (
    FOLDER,
    IMAGES,
    POSITIVE,
    SEED,
    TABLE,
    TEXT_FILE,
    Backend,
    NewFolder,
    Settings,
    Size,
    lab_argument,
)
from .runs import draw_figures

FIXED = ("batch_size", "limit", "seed", "out", "from", "set", "size", "grey", "drop",
         "categorical", "shards")         # once a run began


@click.command()
@lab_argument()
@click.option("--epochs", type=POSITIVE, help="How long to train.  [default: the lab's]")
@click.option("--batch-size", type=POSITIVE, help="Examples in a step.  [default: the lab's]")
@click.option("--shards", type=POSITIVE, metavar="V",
              help="Cut each batch into V parts, whose gradients are added: less memory, and "
                   "up to V processes of mpiexec train it.  A power of two.  [default: 1]")
@click.option("--limit", type=POSITIVE, help="Use only the first N examples, to train and to test.")
@click.option("--seed", type=SEED, help="The seed of all random numbers.  [default: 0]")
@click.option("--out", type=NewFolder(),
              help="The run's directory.  [default: runs/LAB, or runs/LAB-2 ...; "
                   "with --images or --csv runs/LAB-NAME]")
@click.option("--backend", type=Backend(),
              help="The kernels that compute, or a folder with your own.  [default: cpu]")
@click.option("--threads", type=POSITIVE,
              help="[default: all cores]  The result does not depend on it.")
@click.option("--data-dir", type=FOLDER, help="Where the data are, if not in the usual places.")
@click.option("--from", type=FOLDER, metavar="RUN",
              help="Begin with the weights of this run: to go on with other data or settings.")
@click.option("--text", type=TEXT_FILE,
              help="Learn from this text file, in UTF-8 (labs about text).")
@click.option("--images", type=IMAGES,
              help="Learn from your own images: a folder of pictures, whose subfolders are "
                   "classes, or .npy, .npz, IDX, a .csv of pixels, CIFAR (labs about images).")
@click.option("--size", type=Size(),
              help="Cut your images to this aspect around the centre and resize them.  "
                   "[default: their own size, if they have one]")
@click.option("--grey", is_flag=True, default=None, help="Convert your images to grey.")
@click.option("--csv", type=TABLE,
              help="Learn from your own table: a CSV file whose first line names the columns, or "
                   "Parquet (lab table).")
@click.option("--drop", multiple=True, metavar="NAME",
              help="Leave out this column of your table; can be repeated.")
@click.option("--categorical", multiple=True, metavar="NAME",
              help="Take the numbers of this column as names of categories; can be repeated.")
@click.option("--resume", type=FOLDER, metavar="DIR",
              help="Continue the run in DIR, to the same bits as if it had never stopped; "
                   "--epochs may extend it.  For another learning rate or other data see --from.")
@click.option("--set", type=Settings(), multiple=True,
              help="Change a setting of the lab; can be repeated.")
@click.option("--tensorboard", is_flag=True,
              help="Write TensorBoard's event files too, to tensorboard/ in the run's directory.")
@click.option("--explore", is_flag=True,
              help="Write the page to explore, too: explore.html in the run's directory.")
def train(lab, threads, tensorboard, explore, **options):
    """Train LAB and draw its figures.

    The run's report.html can be watched meanwhile.  Ctrl-C leaves a checkpoint to resume from.

    \b
    Settings that every lab has, beside those that `scratchvae labs` shows, for --set:
      early_stopping=N           end after N epochs without a smaller validation loss, with the
                                 weights of the best epoch; 0: never
      learning_rate_schedule=    constant; cosine: falls to 0 along half a cosine; step: a tenth
                                 after half of the steps, a hundredth after three quarters;
                                 plateau: half after 3 epochs without a smaller validation loss
      warmup_steps=N             the learning rate first rises from 0 in N steps (constant, cosine)
      global_clipnorm=X          scale gradients down to this norm of all together; 0: do not
      conditional=1              tell the model the class of each image (VAEs of images only)
      objective=                 elbo, capacity, beta_tc, info_vae, iwae or vq, each with settings
                                 of its own (VAEs only): see scratchvae/README.md
    Labs without validation examples watch their training loss.
    """
    lab = labs.LABS[lab]
    check_text(lab, options)
    check_images(lab, options)
    check_table(lab, options)
    processes = started()
    if processes.rank > 0:
        be_quiet()
    with processes.together():
        set_threads(threads, options["backend"] or "cpu", processes)
        run = run_of_all(lab, options, processes)
        try:
            train_with_report(run, options["resume"] is not None, tensorboard, processes)
        except KeyboardInterrupt:
            if processes.rank == 0:
                say_how_to_resume(run)
            sys.exit(130)
        finally:
            if processes.rank == 0:
                discard_if_unused(run.folder)
        if processes.rank == 0:
            finish(run, explore)


def be_quiet():
    """Let a process that is not the first show nothing: the first one shows it."""
    sys.stdout = open(os.devnull, "w")
    warnings.showwarning = lambda *_: None


def set_threads(threads, backend, processes):
    """Set the number of threads; processes of one machine share its cores."""
    if threads or processes.count > 1:
        kernels.load(backend).set_threads(threads or processes.threads())


def run_of_all(lab, options, processes):
    """Return the run that the options describe: process 0 makes its directory."""
    processes.compare({f"--{name}": value for name, value in options.items()
                       if name != "data_dir"})      # each machine may have a place of its own
    made = resumed_run if options["resume"] is not None else new_run

    def make():
        run = made(lab, options)
        return run.folder, run.config
    folder, config = processes.share(make)
    if options["data_dir"]:
        config["data_dir"] = str(Path(options["data_dir"]).resolve())
    return make_run(folder, config)


def finish(run, explore):
    """Print the results of a training, draw its figures, and write explore.html if wanted."""
    print_result(run)
    draw_figures(run)
    click.echo(run.folder / "history.csv")
    click.echo(run.folder / "weights.npz")
    if explore:
        write_explorer(run)


def write_explorer(run):
    """Write the page to explore into the run's directory, and print its path."""
    from ..teaching.explore import write_page
    click.echo(write_page(run, run.folder / "explore.html"))


def check_text(lab, options):
    """Refuse --text for a lab about something else, and together with --data-dir."""
    if not options["text"]:
        return
    if lab.kind != "text":
        allowed = [name for name, other in labs.LABS.items() if other.kind == "text"]
        raise click.UsageError(f"--text: {lab.name} learns from {lab.kind}; "
                               f"allowed for: {', '.join(allowed)}")
    if options["data_dir"]:
        raise click.UsageError("--text names the text itself; --data-dir cannot be given with it")


def check_images(lab, options):
    """Refuse --images for a lab about other data, and what has no meaning with or without it."""
    if not options["images"]:
        for name in ("size", "grey"):
            if options[name] and not options["resume"]:
                raise click.UsageError(f"--{name} belongs to images of your own; name them with "
                                       "--images")
        return
    if lab.kind != "images":
        allowed = [name for name, other in labs.LABS.items() if other.kind == "images"]
        raise click.UsageError(f"--images: {lab.name} learns from {lab.kind}; "
                               f"allowed for: {', '.join(allowed)}")
    if options["data_dir"]:
        raise click.UsageError("--images names the images themselves; --data-dir cannot be given "
                               "with it")


def check_table(lab, options):
    """Refuse --csv for a lab about other data, and what has no meaning with or without it."""
    if not options["csv"]:
        for name in ("drop", "categorical"):
            if options[name] and not options["resume"]:
                raise click.UsageError(f"--{name} belongs to a table of your own; name it with "
                                       "--csv")
    if lab.kind != "tables":
        if options["csv"]:
            allowed = [name for name, other in labs.LABS.items() if other.kind == "tables"]
            raise click.UsageError(f"--csv: {lab.name} learns from {lab.kind}; "
                                   f"allowed for: {', '.join(allowed)}")
    elif options["data_dir"]:
        raise click.UsageError(f"--data-dir: {lab.name} learns from the table of --csv, or makes "
                               "its own")


def new_run(lab, options):
    """Return the new run that the options of `train` describe."""
    try:
        settings = lab.with_settings(dict(options["set"]))
    except ScratchVAEError as error:
        raise click.BadParameter(str(error), param_hint="--set") from None
    names = ("epochs", "batch_size", "shards", "limit", "seed", "backend", "data_dir", "text",
             "images", "size", "grey", "csv", "drop", "categorical", "from")
    chosen = {name: list(options[name]) or None if isinstance(options[name], tuple)
              else options[name] for name in names}
    config = new_config(lab, settings, **chosen)
    return create_run(options["out"], config)


def resumed_run(lab, options):
    """Return the run to resume, with the options of `train` that may change."""
    fixed = [f"--{name.replace('_', '-')}" for name in FIXED if options[name] not in (None, ())]
    if fixed:
        raise click.UsageError("--resume uses the run's own settings; "
                               f"{', '.join(fixed)} cannot be changed")
    run = open_run(options["resume"], options["data_dir"], options["text"], options["images"],
                   options["csv"])
    if run.lab is not lab:
        raise click.UsageError(f"{run.folder} is a run of {run.lab.name}, not of {lab.name}")
    if run.config.get("imported"):
        raise click.UsageError(f"{run.folder} holds imported weights, and no training to resume; "
                               "--from begins another run with them")
    schedule = run.config["settings"].get("learning_rate_schedule")
    if schedule in NEED_LENGTH and options["epochs"] not in (None, run.config["epochs"]):
        raise click.UsageError(f"--epochs: with learning_rate_schedule={schedule} the learning "
                               f"rate follows the {run.config['epochs']} epochs of {run.folder}; "
                               "--from begins another run with its weights")
    for name in ("epochs", "backend"):
        if options[name] is not None:
            run.config[name] = options[name]
    return run


def train_with_report(run, resume, tensorboard, processes=ONE):
    """Train a run and keep its report up to date, and TensorBoard's event files if wanted."""
    from ..analysis.report.events import Events
    from ..analysis.report.live import Live
    if processes.rank > 0:
        train_run(run, [], resume, processes)
        return
    events = Events(run) if tensorboard else None
    with Live(run, events) as live:
        train_run(run, [live], resume, processes)


def say_how_to_resume(run):
    """Print how to continue a training that was interrupted."""
    if (run.folder / "config.json").exists():
        click.echo("\ninterrupted; nothing is lost. Resume with:  "
                   f"{command('train', run.lab.name, '--resume', place(run.folder))}", err=True)
    else:
        click.echo("\ninterrupted before the first step; nothing was left behind", err=True)


def print_result(run):
    """Print the epoch of the weights, and the reference figures of the same epoch."""
    last = run.history.rows[run.epoch - 1]
    validation = ""
    if last["val_loss"] is not None:
        validation = (f", validation {last['val_loss']:.5g} (mean over the {run.lab.held_out} "
                      f"after it{run.model.how_measured})")
    click.echo(f"epoch {last['epoch']}: loss {last['loss']:.5g} (mean over the epoch as trained)"
               f"{validation}; {run.config['data']}")
    if run.epoch < len(run.history):
        click.echo(f"epoch {run.epoch} was the best, and the weights are its own; training ended "
                   f"after epoch {len(run.history)}")
    for reference in run.references:
        if reference.epoch == last["epoch"]:
            click.echo(f"  reference: {reference}")
