"""The command that makes a learner's folder, and helps in it."""
import click

from ..commands import command, place


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@click.option("--hint", metavar="OPERATION",
              help="Show the next of three hints: a nudge, nearly the formula, the solution.")
@click.option("--hunt", is_flag=True,
              help="Make DIR a copy of the reference with one unnamed mistake, to be found.")
@click.option("--seed", type=click.IntRange(0), help="Chooses the mistake of a hunt.")
def learn(folder, hint, hunt, seed):
    """Make a folder in which you write the kernels yourself, and train the labs with them.

    DIR gets a file for each kind of layer, with its contract and its derivation as questions.
    What you have not written comes from the reference.  Nothing of yours is ever overwritten.
    """
    from ..teaching.course.folder import make_folder, next_hint
    from ..teaching.course.hunt import make_hunt
    if (hint and hunt) or (seed is not None and not hunt):
        raise click.UsageError("--hint, and --hunt with --seed, cannot be given together")
    if hint:
        number, text = next_hint(folder, hint)
        click.echo(f"{hint}, {('a nudge', 'nearly the formula', 'the solution')[number - 1]} "
                   f"({number} of 3):\n\n{text if number == 3 else click.wrap_text(text, 90)}")
        return
    if hunt:
        make_hunt(folder, seed)
        click.echo(f"{folder} has one mistake; {folder}/README.md says how to find it")
        return
    made = make_folder(folder)
    click.echo(f"{len(made)} files written to {folder}; begin with {folder}/README.md and "
               f"{folder}/dense.py" if made else f"{folder} is complete; nothing was changed")
    click.echo(f"see how far you are:  {command('check', place(folder))}")
