"""Commands that decode: new images and lines, old ones again, and what lies between."""
import click

from ..labs.text_lab import TextLab
from .arguments import POSITIVE, SEED, data_dir_option, run_argument


@click.command()
@run_argument()
@click.option("--count", type=POSITIVE, default=30, show_default=True)
@click.option("--seed", type=SEED, default=0, show_default=True)
def sample(run, count, seed):
    """Draw new examples: decode random points of the prior."""
    echo_written(open_lines_run(run), lambda run: run.draw_samples(count, seed))


@click.command()
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


@click.command()
@run_argument()
@click.argument("first")
@click.argument("second")
@click.option("--steps", type=click.IntRange(2), default=7, show_default=True)
def interpolate(run, first, second, steps):
    """Write the lines on the way from the line FIRST to the line SECOND (labs about lines of text)."""
    run = about_text(open_lines_run(run), "interpolate")
    for line in run.interpolate(read_line(run, first), read_line(run, second), steps):
        click.echo(line)


@click.command()
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
    from ..runs.run import Run
    from ..text.modern import modernise, slangify
    text = about_text(Run.open(run), "generate").generate(seed, seed_word, length, temperature, top_k, top_p)
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
    from ..runs.run import Run
    run = Run.open(folder, data_dir)
    if isinstance(run.lab, TextLab) and not run.lab.lines_of:
        raise click.UsageError(f"{folder} is a run of {run.lab.name}, whose examples are single words; see: scratchvae generate {folder}")
    return run


def echo_written(run, draw):
    """Draw, show what was written if it is text, and its path."""
    path = draw(run)
    if isinstance(run.lab, TextLab):
        click.echo(path.read_text(encoding="utf-8"), nl=False)
    click.echo(path)
