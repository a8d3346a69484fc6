"""The command that trains a lab with many settings and seeds."""
import os
import sys
from pathlib import Path

import click
from tqdm import tqdm

from .. import labs
from ..commands import command, place
from ..errors import ScratchVAEError
from ..runs.config import run_name
from ..runs.lock import training_lock
from ..storage import write_text
from ..sweeps import (
    LAUNCHERS,
    Jobs,
    Processes,
    SearchFolder,
    SweepFolder,
    make_plan,
    make_search,
)
from .arguments import (
    FOLDER,
    IMAGES,
    POSITIVE,
    TABLE,
    TEXT_FILE,
    Backend,
    NewFolder,
    Settings,
    Size,
    lab_argument,
)
from .train import check_images, check_table, check_text

PATHS = ("data_dir", "text", "images", "csv")     # options that are paths


@click.command()
@lab_argument()
@click.option("--set", type=Settings(), multiple=True,
              help="Values of a setting, with commas between them; can be repeated.  With --optuna "
                   "also a range: learning_rate=0.0001..0.01.")
@click.option("--seeds", type=POSITIVE, default=1, show_default=True,
              help="Train each choice of settings with the seeds 0, 1, ..., N - 1.")
@click.option("--random", type=POSITIVE, metavar="K",
              help="Train K choices drawn from the grid, always the same.  [default: all]")
@click.option("--optuna", type=POSITIVE, metavar="TRIALS",
              help="Let Optuna search for the settings with the smallest validation loss, in so "
                   "many runs.")
@click.option("--jobs", type=POSITIVE, default=os.cpu_count() or 1,
              help="Runs at once, each with one thread.  [default: one for each core]")
@click.option("--launcher", type=click.Choice(LAUNCHERS),
              help="Let a scheduler start the runs, by submitit: SLURM, or one on this machine to "
                   "try.  --jobs is then how many it has at once.")
@click.option("--out", type=NewFolder(),
              help="The sweep's directory: new, or of the same sweep.  [default: sweeps/LAB; "
                   "with --images or --csv sweeps/LAB-NAME]")
@click.option("--epochs", type=POSITIVE, help="How long to train.  [default: the lab's]")
@click.option("--batch-size", type=POSITIVE, help="Examples in a step.  [default: the lab's]")
@click.option("--limit", type=POSITIVE, help="Use only the first N examples, to train and to test.")
@click.option("--backend", type=Backend(),
              help="The kernels that compute, or a folder with your own.  [default: cpu]")
@click.option("--data-dir", type=FOLDER, help="Where the data are, if not in the usual places.")
@click.option("--text", type=TEXT_FILE,
              help="Learn from this text file, in UTF-8 (labs about text).")
@click.option("--images", type=IMAGES, help="Learn from your own images; see `scratchvae train`.")
@click.option("--size", type=Size(),
              help="Cut your images to this aspect around the centre and resize them.  "
                   "[default: their own size, if they have one]")
@click.option("--grey", is_flag=True, default=None, help="Convert your images to grey.")
@click.option("--csv", type=TABLE, help="Learn from your own table; see `scratchvae train`.")
@click.option("--drop", multiple=True, metavar="NAME", help="Leave out this column of your table.")
@click.option("--categorical", multiple=True, metavar="NAME",
              help="Take the numbers of this column as names of categories.")
def sweep(lab, seeds, random, optuna, jobs, launcher, out, **options):
    """Train LAB with all combinations of settings, and compare the runs.

    \b
    scratchvae sweep mnist-dense --set kl_weight=0.5,1,4 --set latent_dim=2,8 --seeds 3 --jobs 2
    scratchvae sweep mnist-dense --set learning_rate=0.0001..0.01 --set latent_dim=2,8 --optuna 20

    Ctrl-C loses nothing: the same command goes on.  It skips runs that are finished.  If a run
    fails, the others go on; the failure is told at the end.  The directory then holds a run for
    each combination, compare.html and results.csv.

    --optuna proposes settings from the results so far: the same ones whenever the command and its
    --jobs are the same.  Ranges over a decade or more are searched on a logarithmic scale.  More
    TRIALS go on with the same search.
    """
    lab = labs.LABS[lab]
    if optuna and (random or seeds > 1):
        raise click.UsageError("--optuna trains each trial with seed 0 and proposes the settings; "
                               "--random and --seeds cannot be given with it")
    check_text(lab, options)
    check_images(lab, options | {"resume": None})
    check_table(lab, options | {"resume": None})
    lists = options.pop("set")
    for name in ("drop", "categorical"):
        options[name] = list(options[name]) or None
    for name in PATHS:
        if options[name]:
            options[name] = str(Path(options[name]).resolve())
    try:
        plan = (make_search(lab, lists, optuna, options) if optuna
                else make_plan(lab, lists, seeds, random, options))
    except ScratchVAEError as error:
        raise click.BadParameter(str(error), param_hint="--set") from None
    folder_class = SearchFolder if optuna else SweepFolder
    folder = folder_class(out or Path("sweeps") / run_name(lab.name, options), plan)
    with training_lock(folder.folder):
        try:
            failed = train_all(folder, jobs, launcher)
        except KeyboardInterrupt:
            click.echo(f"\ninterrupted; nothing is lost. Go on with:  "
                       f"{again(folder, jobs, launcher)}", err=True)
            sys.exit(130)
        show_results(folder)
        if optuna:
            show_best(folder)
    if failed:
        say_what_failed(folder, failed, again(folder, jobs, launcher))
        sys.exit(1)


def train_all(folder, jobs, launcher=None):
    """Train the points that are left, with a progress bar, and return those that failed, Ended."""
    epochs = folder.plan.epochs
    left = folder.left()
    done = {point.name: epochs for point in folder.points()} | {
        point.name: folder.epochs(point) for point in left}
    click.echo(f"{folder.plan.lab}: {folder.count} runs of {epochs} epochs, "
               f"{len(done) - len(left)} of them finished; {jobs} at once; {folder.folder}")
    left += folder.more(jobs)
    failed = []
    runs = Jobs(folder, jobs, launcher) if launcher else Processes(folder, jobs)
    with (runs as processes,
          tqdm(total=folder.count * epochs, initial=sum(done.values()), unit="epoch",
               disable=None, dynamic_ncols=True, smoothing=0) as bar):
        for ended in processes.train(left):
            for point, _ in processes.running.values():
                done[point.name] = folder.epochs(point)
            for run in ended:
                done[run.point.name] = epochs                   # early stopping included
                tqdm.write(f"{run.point.name}: {run.problem or 'finished'}")
            if ended:
                left += folder.more(jobs)
            failed += [run for run in ended if run.problem]
            bar.n = sum(done.values())
            bar.set_postfix_str(" | ".join(processes.running))
    return failed


def show_results(folder):
    """Print the table of the runs, and write results.csv and compare.html."""
    from ..analysis.compare import Comparison, write_page
    from .tables import comparison_table
    trained = folder.trained()
    if not trained:
        return
    comparison = Comparison(trained)
    comparison_table(comparison)
    path = folder.folder / "results.csv"
    write_text(path, comparison.csv())
    click.echo(path)
    click.echo(write_page(comparison, folder.folder / "compare.html"))


def show_best(folder):
    """Print the best trial of a search, and how to train its settings once more."""
    best = folder.best()
    if not best:
        return
    point, value = best
    words = [word for name, text in point.settings.items() for word in ("--set", f"{name}={text}")]
    what = " + ".join(folder.plan.objective)
    click.echo(f"best: {point.name} with {what} {value:.5g}: {folder.run(point)}\n"
               f"train its settings anew:  {command('train', folder.plan.lab, *words)}")


def say_what_failed(folder, failed, command_again):
    """Print the runs that failed, their last lines and their logs, and how to try them again."""
    count = len(failed)
    click.echo(f"{count} run{'s' * (count != 1)} failed:", err=True)
    for run in failed:
        click.echo(f"  {run.point.name}: {run.problem}\n    {folder.log(run.point)}", err=True)
    click.echo(f"try them again with:  {command_again}", err=True)


def again(folder, jobs, launcher):
    """Return the command that goes on with a sweep."""
    words = ["--launcher", launcher] if launcher else []
    return command("sweep", folder.plan.lab, *folder.plan.sweep_words(), "--jobs", jobs, *words,
                   "--out", place(folder.folder))
