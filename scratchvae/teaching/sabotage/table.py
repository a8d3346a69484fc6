"""Sabotage on the terminal:

each mistake, its line beside the right one, and what the checks say.
"""

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

WIDTH = 120  # where the width of the terminal is not known


def print_results(results):
    """Print Results as they come;

    True if every mistake was caught by the check that is named for it.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    results = [print_result(console, result) for result in results]
    if len(results) > 1:
        console.print(overview(results))
    caught = sum(result.caught for result in results)
    console.print(
        f"{caught} of {len(results)} mistakes caught by the check that is named for "
        f"{'them' if len(results) > 1 else 'it'}"
        + ("" if caught == len(results) else ": THE OTHERS WERE NOT")
    )
    return caught == len(results)


def print_result(console, result):
    """One mistake, and what is to be learnt from it; returns the Result."""
    mistake = result.mistake
    console.print(f"[bold]{mistake.name}[/]: {escape(mistake.title)}", highlight=False)
    for edit in mistake.edits:
        right, wrong = edit.lines
        indented(console, f"[dim]{edit.operation}[/]")
        indented(console, f"  [green]right  {escape(right)}[/]")
        indented(console, f"  [red]wrong  {escape(wrong)}[/]")
    if mistake.check:
        indented(console, f"gradient check: {said(result.gradient)}")
    indented(console, f"{mistake.check_name}: {said(result.named)}")
    indented(console, f"[dim]without the mistake: {said(result.without)}[/]")
    indented(console, f"why: {escape(mistake.why)}.\n")
    return result


def indented(console, text):
    """Print below a mistake's name."""
    console.print(Padding(text, (0, 0, 0, 4), expand=False), highlight=False)


def said(verdict):
    """A verdict in words."""
    return f"{'passes' if verdict.passed else '[bold red]FAILS[/]'}, {verdict.says}"


def overview(results):
    """All mistakes in one table."""
    table = Table(
        "mistake",
        "what",
        "gradient check",
        "check named for it",
        "caught",
        box=None,
        header_style="bold",
    )
    for result in results:
        mistake = result.mistake
        table.add_row(
            mistake.name,
            mistake.title,
            "passes: blind" if result.gradient.passed else "fails",
            mistake.check_name,
            "[green]yes[/]" if result.caught else "[bold red]NO[/]",
        )
    return table
