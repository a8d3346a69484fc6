"""Commands that decode: new images and lines, reconstructions, and what lies between."""
from pathlib import Path

import click
import numpy as np

from ..commands import command, place
from ..runs import open_run
from ..storage import write_file
from .arguments import POSITIVE, SEED, moved_options, run_argument


@click.command()
@run_argument()
@click.option("--count", type=POSITIVE,
              help="How many.  [default: 30; if the model knows classes, 10 of each]")
@click.option("--class", "class_name", metavar="CLASS",
              help="Draw this class, a name or a number (runs with --set conditional=1).")
@click.option("--out", type=click.Path(dir_okay=False), metavar="FILE",
              help="Write the images to this .png, or their numbers to this .npy.  "
                   "[default: RUN/figures/samples.png]")
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option("--prior", type=click.Choice(["normal", "mixture"]), default="normal",
              show_default=True,
              help="N(0, 1), or a mixture fitted to the codes of training images.")
@moved_options
def sample(run, count, class_name, out, seed, prior, **moved):
    """Draw new examples: decode random points of the prior.  New rows of a table are CSV.

    \b
    scratchvae train mnist-conv --set conditional=1
    scratchvae sample runs/mnist-conv --class 7 --count 64 --out sevens.png
    """
    run = open_decoder(run, **moved)
    if run.lab.kind != "images":
        refuse_images_options(run, {"--class": class_name, "--out": out,
                                    "--prior mixture": None if prior == "normal" else prior})
        show(run.draw_samples(count, seed))
        return
    label = None if class_name is None else run.label_of(class_name)
    suffix = Path(out).suffix if out else ".png"
    if suffix not in (".png", ".npy"):
        raise click.UsageError(f"--out: must end in .png or .npy, got {out}")
    if suffix == ".npy":
        images = run.sample(count, seed, label, prior)
        write_file(out, lambda file: np.save(file, images))
        click.echo(f"{out}: {images.dtype} array of shape {images.shape}")
        return
    show(run.draw_samples(count, seed, label, out and Path(out), prior))


def refuse_images_options(run, options):
    """Refuse the options of `sample` that only runs about images have."""
    for option, value in options.items():
        if value is not None:
            other = (f", or use: {command('generate', place(run.folder))}"
                     if run.lab.kind == "text" else "")
            raise click.UsageError(f"{option}: {run.folder} is a run of {run.lab.name}, which "
                                   f"learns from {run.lab.kind}; choose a run about images{other}")


@click.command()
@run_argument()
@click.option("--count", type=POSITIVE, help="How many.  [default: 10; of a table all rows]")
@click.option("--fill", is_flag=True,
              help="Keep what is known, and fill in only the missing cells (tables).")
@click.option("--line", help="Reconstruct this line instead, and write variations of it "
                             "(labs about lines of text).")
@moved_options
def reconstruct(run, count, fill, line, **moved):
    """Draw test examples above their reconstructions; of a table, write the rows as CSV."""
    run = open_decoder(run, **moved)
    if line is None and run.lab.kind == "tables":
        show(run.draw_reconstructions(count, fill))
        return
    if fill:
        raise click.UsageError(f"--fill: {run.folder} is a run of {run.lab.name}, which does not "
                               "learn from a table")
    count = count or 10
    if line is None:
        show(run.draw_reconstructions(count))
        return
    require_text(run, "--line")
    x = read_line(run, line)
    again, = run.lines_of(run.model.encode(x)[0])
    click.echo(f"{line}\n-> {again}\nvariations:")
    for variation in run.variations(x, count):
        click.echo(f"   {variation}")


@click.command()
@run_argument()
@click.argument("first")
@click.argument("second")
@click.option("--steps", type=click.IntRange(2), default=7, show_default=True)
@moved_options
def interpolate(run, first, second, steps, **moved):
    """Write the lines between the lines FIRST and SECOND (labs about lines of text)."""
    run = open_decoder(run, **moved)
    require_text(run, "interpolate")
    for line in run.interpolate(read_line(run, first), read_line(run, second), steps):
        click.echo(line)


@click.command()
@run_argument()
@click.option("--seed-word", help="The word to begin with.")
@click.option("--length", type=POSITIVE, default=100, show_default=True,
              help="About how many words.")
@click.option("--temperature", type=click.FloatRange(0),
              help="0 writes the most probable words, 1 draws from the model's probabilities.  "
                   "[default: the lab's]")
@click.option("--top-k", type=POSITIVE, help="Only the k most probable words.")
@click.option("--top-p", type=click.FloatRange(0, 1, min_open=True),
              help="Only the most probable words whose probabilities add up to p.")
@click.option("--modern", is_flag=True, help="Translate to today's English.")
@click.option("--slang", is_flag=True, help="Translate to slang.")
@click.option("--seed", type=SEED, default=0, show_default=True)
@moved_options
def generate(run, modern, slang, seed, data_dir, text, images, csv, **how):
    """Write new text (labs about text)."""
    from ..text.modern import modernise, slangify
    run = open_run(run, data_dir, text, images, csv)
    require_text(run, "generate")
    written = run.generate(seed, **how)
    if slang:
        written = slangify(written)
    elif modern:
        written = modernise(written)
    click.echo(written)


def open_decoder(folder, **moved):
    """Return a run whose examples can be decoded from latent codes; single words cannot."""
    run = open_run(folder, **moved)
    if not run.decodes:
        raise click.UsageError(f"{folder} is a run of {run.lab.name}, whose examples are single "
                               f"words; use: {command('generate', place(folder))}")
    return run


def require_text(run, what):
    """Refuse a command or option that needs a run about text."""
    if run.lab.kind != "text":
        raise click.UsageError(f"{what}: {run.folder} is a run of {run.lab.name}, which learns "
                               f"from {run.lab.kind}; choose a run about text")


def read_line(run, line):
    """Return a line as an example, and name the words that the model does not know."""
    x = run.example(line)
    unknown = run.unknown_words(line)
    if unknown:
        names = ", ".join(map(repr, unknown))
        click.echo(f"note: the model does not know {names}", err=True)
    return x


def show(path):
    """Print the path of a file that was drawn or written; of a text, its content first."""
    if path.suffix == ".txt":
        click.echo(path.read_text(encoding="utf-8"), nl=False)
    click.echo(path)
