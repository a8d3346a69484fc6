"""Verdicts on the terminal: what is wrong and what it looks like, and what is proven."""
import re
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from ...commands import place
from ..course.folder import OPERATIONS, next_operation, progress
from .calls import forward_of
from .subject import place_of, shortened

WIDTH = 110                     # columns, if the output is not a terminal


def console():
    """Return where verdicts are printed."""
    made = Console(highlight=False, soft_wrap=False)
    return made if made.is_terminal else Console(width=WIDTH, highlight=False)


def print_verdict(verdict, out=None):
    """Print the Verdict on a backend.

    Parameters
    ----------
    verdict : Verdict
    out : rich.console.Console, optional
    """
    out = out or console()
    for judgement in verdict.wrong:
        print_wrong(out, verdict, judgement)
    print_elsewhere(out, verdict)
    print_proofs(out, verdict)


def print_wrong(out, verdict, judgement):
    """Print why an operation is wrong."""
    file, line = place_of(verdict.backend, judgement.operation)
    if judgement.follows:
        out.print(f"[yellow]{judgement.operation} waits[/] until {judgement.follows} is right: it "
                  "reads what that leaves\n")
        return
    out.print(f"[bold red]{judgement.operation} is wrong[/]   {escape(file)}, line {line}")
    for number, finding in enumerate(judgement.findings):
        indented(out, f"{escape(finding.says)}{': ' + finding.worst if finding.worst else ''}")
        for looks in finding.looks:
            indented(out, f"[bold]it looks like this:[/] {escape(looks)}" if finding.array
                     else f"[dim]{escape(looks)}[/]")
        if number == 0 and judgement.only:
            indented(out, f"{escape(judgement.only)}; all other calls are right")
        if finding.case:
            indented(out, f"[dim]with {escape(str(finding.case))}[/]")
    if judgement.right:
        indented(out, f"right: {', '.join(judgement.right)}")
    forward = verdict.judgements.get(forward_of(judgement.operation))
    if judgement.agrees and judgement.findings[0].array and not (forward and forward.passed):
        indented(out, "it is the derivative of its own forward pass: that one computes something "
                      "else than it should, or both do")
    outside = next((result for result in verdict.golden if not result.passed
                    and judgement.operation in result.operations), None)
    if outside:
        indented(out, f"from outside: {escape(outside.name)}: {escape(outside.says)}")
    out.print()


def print_elsewhere(out, verdict):
    """Print comparisons that fail although all operations that they call are right."""
    failed = sorted(verdict.elsewhere, key=lambda result: result.source == "Keras")
    if not failed:
        return
    out.print(f"[bold red]{escape(shortened(verdict.backend))}:[/] ", end="")
    out.print(f"[bold red]comparisons with numbers from outside fail ({len(failed)}), although the "
              "operations agree[/]")
    for result in failed[:3]:
        indented(out, f"{escape(result.name)}: {escape(result.says)}"
                      + place_of_first(verdict, result))
    if len(failed) > 3:
        indented(out, f"and {len(failed) - 3} more")
    if verdict.suspects:
        indented(out, "the code that these have in common and that others do not run: "
                      + escape(", ".join(shortened(name) for name in verdict.suspects)))
    out.print()


def place_of_first(verdict, result):
    """Return where the operation is written whose name a comparison's result begins with."""
    name = re.match(r"\w+", result.says)[0]
    if name not in verdict.judgements:
        return ""
    file, line = place_of(verdict.backend, name)
    return f"   {escape(file)}, line {line}"


def print_proofs(out, verdict):
    """Print what is proven about the operations that are right."""
    right = verdict.right
    total = len(verdict.judgements)
    name = shortened(verdict.backend)
    if not total:
        out.print(f"{escape(name)}: no operation is written yet; all come from the reference")
        return
    colour = "green" if verdict.passed else "red"
    are = "agree with " + verdict.trusted if verdict.elsewhere else "are right"
    out.print(f"[bold {colour}]{escape(name)}: {len(right) + len(verdict.innocent)} of "
              f"{total} operations {are}[/]")
    if not right:
        return
    calls = sum(count(judgement, "calls") for judgement in right)
    gradients = sum(count(judgement, "gradients") for judgement in right)
    names = {judgement.operation for judgement in right}
    golden = [result for result in verdict.golden
              if result.passed and names & set(result.operations)]
    wrong = {judgement.operation for judgement in verdict.wrong}
    covered = names & {name for result in verdict.golden for name in result.operations
                       if result.passed or wrong & set(result.operations)}
    proofs = [f"{calls} calls beside the {verdict.trusted} backend (both precisions, odd sizes, "
              "sizes of 1, zeros, equal numbers; inputs unchanged, outputs fully written)"]
    if gradients:
        plural = "s" if gradients > 1 else ""
        proofs.append(f"{gradients} gradient{plural} by central differences")
    if golden:
        keras = sum(result.source == "Keras" for result in golden)
        proofs.append(f"{keras} comparisons with Keras and {len(golden) - keras} with definitions")
    indented(out, f"[dim]proven by {'; '.join(proofs)}[/]")
    if verdict.golden and names - covered:
        listed = sorted(names - covered)
        shown = ", ".join(listed[:6]) + (f" and {len(listed) - 6} more" if len(listed) > 6 else "")
        indented(out, f"[dim]not proven from outside: {shown}[/]")
    indented(out, "[dim]not looked at: speed, and whether a training succeeds[/]")


def print_progress(folder, verdict, out=None):
    """Print how far a folder of the course has come, and what comes next.

    Parameters
    ----------
    folder : path
    verdict : Verdict
    out : rich.console.Console, optional
    """
    out = out or console()
    right = {judgement.operation for judgement in verdict.right}
    table = Table("stage", "file", "written", "right", "trains", box=None, header_style="bold")
    for stage, written in progress(folder):
        good = sum(name in right for name in written)
        colour = "green" if good == len(stage.operations) else "red" if good < len(written) else ""
        counts = [f"{len(written)} of {len(stage.operations)}", str(good) if written else ""]
        table.add_row(stage.name, f"{stage.file}.py", *counts, stage.lab or "", style=colour)
    out.print(table)
    if verdict.wrong:
        out.print(f"next: mend {verdict.wrong[0].operation}; a hint:  scratchvae learn "
                  f"{place(shortened(folder))} --hint {verdict.wrong[0].operation}")
        return
    coming = next_operation(folder)
    if coming:
        stage, name = coming
        out.print(f"next: {name} in {shortened(Path(folder) / stage.file)}.py")
    else:
        out.print("all operations are yours: hand in report.html; next: scratchvae learn hunt "
                  "--hunt")
    finished = [stage for stage, written in progress(folder) if stage.command and written]
    if finished:
        out.print(f"it trains:  scratchvae {finished[-1].command} --backend "
                  f"{place(shortened(folder))}")


def print_training(subject, out=None):
    """Print the command that trains with the operations of one file of the course.

    Parameters
    ----------
    subject : Subject
    out : rich.console.Console, optional
    """
    stage = OPERATIONS.get(subject.operations[0])
    if stage and stage.command:
        (out or console()).print(f"it trains:  scratchvae {stage.command} --backend "
                                 f"{place(shortened(subject.backend))}")


def count(judgement, word):
    """Return the number in front of a word in what was proven about an operation."""
    text = " ".join(judgement.proofs)
    found = re.search(rf"(\d+) {word}", text)
    return int(found[1]) if found else 0


def indented(out, text):
    """Print a text that belongs to the line above."""
    out.print(Padding(text, (0, 0, 0, 4), expand=False))
