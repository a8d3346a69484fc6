"""Commands that decode: new images and lines, reconstructions, and what lies between."""

import click

from .arguments import POSITIVE, SEED, data_dir_option, run_argument
from .results import echo_written


@click.command()
@run_argument()
@click.option("--count", type=POSITIVE, default=30, show_default=True)
@click.option("--seed", type=SEED, default=0, show_default=True)
def sample(run, count, seed):
    """Draw new examples: decode random points of the prior."""
    echo_written(open_lines_run(run).draw_samples(count, seed))


@click.command()
@run_argument()
@click.option("--count", type=POSITIVE, default=10, show_default=True)
@click.option(
    "--line",
    help="Reconstruct this line of yours instead, and write variations of it "
    "(labs about lines of text).",
)
@data_dir_option()
def reconstruct(run, count, line, data_dir):
    """Draw test examples above their reconstructions."""
    run = open_lines_run(run, data_dir)
    if line is None:
        echo_written(run.draw_reconstructions(count))
        return
    x = read_line(about_text(run, "--line"), line)
    z_mean, _ = run.model.encode(x)
    click.echo(f"{line}\n-> {run.lines_of(z_mean)[0]}\nvariations:")
    for variation in run.variations(x, count):
        click.echo(f"   {variation}")


@click.command()
@run_argument()
@click.argument("first")
@click.argument("second")
@click.option("--steps", type=click.IntRange(2), default=7, show_default=True)
def interpolate(run, first, second, steps):
    """Write the lines on the path from the line FIRST to the line SECOND (labs about lines)."""
    run = about_text(open_lines_run(run), "interpolate")
    for line in run.interpolate(read_line(run, first), read_line(run, second), steps):
        click.echo(line)


@click.command()
@run_argument()
@click.option("--seed-word", help="The word to begin with.")
@click.option(
    "--length", type=POSITIVE, default=100, show_default=True, help="About how many words."
)
@click.option(
    "--temperature",
    type=click.FloatRange(0),
    help="0 writes the most probable word, 1 draws as the model predicts.  [default: the lab's]",
)
@click.option("--top-k", type=POSITIVE, help="Only the k most probable words.")
@click.option(
    "--top-p",
    type=click.FloatRange(0, 1, min_open=True),
    help="Only the most probable words that have this probability together.",
)
@click.option("--modern", is_flag=True, help="In today's English.")
@click.option("--slang", is_flag=True, help="In the English of the street.")
@click.option("--seed", type=SEED, default=0, show_default=True)
def generate(run, modern, slang, seed, seed_word, length, **choice):
    """Write new text (labs about text)."""
    from ..runs import Run
    from ..text.modern import modernise, slangify

    run = about_text(Run.open(run), "generate")
    text = run.generate(seed, seed_word, length, **choice)
    if slang:
        text = slangify(text)
    elif modern:
        text = modernise(text)
    click.echo(text)


def read_line(run, line):
    """Return a line of the user's as an example; words that the model does not know are named."""
    x = run.example(line)
    unknown = run.unknown_words(line)
    if unknown:
        words = ", ".join(map(repr, unknown))
        click.echo(f"note: the model does not know {words}", err=True)
    return x


def about_text(run, what):
    """Return the run if it is about text."""
    if run.lab.kind != "text":
        raise click.UsageError(
            f"{what}: {run.folder} is a run of {run.lab.name}, which learns "
            "from images; choose a run about text"
        )
    return run


def open_lines_run(folder, data_dir=None):
    """Return a run whose examples can be decoded from latent points.

    All can, except those whose examples are single words.
    """
    from ..runs import Run

    run = Run.open(folder, data_dir)
    if run.lab.kind == "text" and not run.lab.lines_of:
        raise click.UsageError(
            f"{folder} is a run of {run.lab.name}, whose examples are single "
            f"words; use: scratchvae generate {folder}"
        )
    return run
