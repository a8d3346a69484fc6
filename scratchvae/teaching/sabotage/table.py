"""The results of planted mistakes on the terminal: each wrong line, and what the checks find."""
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

WIDTH = 120                     # columns, if the output is not a terminal


def print_results(results):
    """Print Results as they arrive; return whether the named check caught every mistake."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    results = [print_result(console, result) for result in results]
    if len(results) > 1:
        console.print(overview(results))
    caught = sum(result.caught for result in results)
    line = f"{caught} of {len(results)} mistakes caught by the check named for each"
    missed = len(results) - caught
    if missed:
        line += f"; {missed} NOT CAUGHT"
    console.print(line)
    return missed == 0


def print_result(console, result):
    """Print a mistake with its verdicts and its explanation; return the Result."""
    mistake = result.mistake
    console.print(f"[bold]{mistake.name}[/]: {escape(mistake.title)}", highlight=False)
    for edit in mistake.edits:
        right, wrong = edit.lines
        print_indented(console, f"[dim]{edit.operation}[/]")
        print_indented(console, f"  [green]right  {escape(right)}[/]")
        print_indented(console, f"  [red]wrong  {escape(wrong)}[/]")
    if mistake.check:
        print_indented(console, f"gradient check: {in_words(result.gradient)}")
    print_indented(console, f"{mistake.check_name}: {in_words(result.named)}")
    print_indented(console, f"[dim]without the mistake: {in_words(result.without)}[/]")
    print_indented(console, f"why: {escape(mistake.why)}.\n")
    return result


def print_indented(console, text):
    """Print a text that belongs to a mistake."""
    console.print(Padding(text, (0, 0, 0, 4), expand=False), highlight=False)


def in_words(verdict):
    """Return a Verdict as text."""
    passed = "passes" if verdict.passed else "[bold red]FAILS[/]"
    return f"{passed}, {verdict.says}"


def overview(results):
    """Return a table with a row for each mistake."""
    table = Table("mistake", "what", "gradient check", "check named for it", "caught",
                  box=None, header_style="bold")
    for result in results:
        mistake = result.mistake
        gradient = "passes" if result.gradient.passed else "fails"
        caught = "[green]yes[/]" if result.caught else "[bold red]NO[/]"
        table.add_row(mistake.name, mistake.title, gradient, mistake.check_name, caught)
    return table
