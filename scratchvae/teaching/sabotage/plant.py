"""What a mistake is, and how it gets into a kernel and out again."""

import inspect
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Callable, NamedTuple

import kernels

BACKEND = "reference"  # whose kernels are readable, and so are the mistakes in them


class Edit(NamedTuple):
    """A piece of a line in the source of an operation, and the mistake that takes its place."""

    operation: str
    right: str
    wrong: str

    @property
    def lines(self):
        """(right, wrong): the whole line of the source."""
        source = inspect.getsource(getattr(kernels.load(BACKEND), self.operation))
        (right,) = (
            line.partition("  #")[0].strip()
            for line in source.splitlines()
            if self.right.strip() in line
        )
        return right, right.replace(self.right.strip(), self.wrong.strip())


class Verdict(NamedTuple):
    """What a check says: whether all is right, and its numbers."""

    passed: bool
    says: str


@dataclass(frozen=True)
class Mistake:
    """A mistake in one operation, or the same one in several.

    gradient_check() -> Verdict is the check by finite differences; check() -> Verdict, named
    check_name, is the one that catches the
    mistake: the gradient check itself unless given.  why: why it is caught, or why the gradient
    check can't see it.
    """

    name: str
    title: str
    edits: tuple
    why: str
    gradient_check: Callable
    check: Callable = None
    check_name: str = "gradient check"


@dataclass(frozen=True)
class Result:
    """Verdicts on a mistake:

    of the gradient check and of the named check, and of the named check without the mistake.
    """

    mistake: Mistake
    gradient: Verdict
    named: Verdict
    without: Verdict

    @property
    def caught(self):
        """True if the named check fails with the mistake and passes without it."""
        return not self.named.passed and self.without.passed


def sabotage(mistake):
    """Plant the mistake, run the checks, take it out, and run the named check again: a Result."""
    check = mistake.check or mistake.gradient_check
    with planted(mistake):
        gradient = mistake.gradient_check()
        named = check() if mistake.check else gradient
    return Result(mistake, gradient, named, check())


@contextmanager
def planted(mistake):
    """Within the block the backend's operations have the mistake."""
    module = kernels.load(BACKEND)
    right = {edit.operation: getattr(module, edit.operation) for edit in mistake.edits}
    try:
        for operation, function in right.items():
            setattr(
                module,
                operation,
                faulty(function, [edit for edit in mistake.edits if edit.operation == operation]),
            )
        yield
    finally:
        for operation, function in right.items():
            setattr(module, operation, function)


def faulty(function, edits):
    """The function, compiled from its source with these edits."""
    source = inspect.getsource(function)
    for edit in edits:
        if source.count(edit.right) != 1:
            raise ValueError(
                f"{edit.operation}: {edit.right!r} stands {source.count(edit.right)} times in its "
                "source; needed: once"
            )
        source = source.replace(edit.right, edit.wrong)
    namespace = dict(inspect.unwrap(function).__globals__)
    exec(compile(source, f"<{function.__name__}, sabotaged>", "exec"), namespace)
    return namespace[function.__name__]
