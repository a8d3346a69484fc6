"""Mistakes, and how they are planted in a kernel and removed again."""
import inspect
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Callable, NamedTuple

from ... import kernels
from ...kernels.backend import operations

SOURCE = "reference"            # its kernels are plain NumPy, so that the mistakes are readable


class Edit(NamedTuple):
    """A change of one place in the source of an operation.

    Attributes
    ----------
    operation : str
        The operation's name, such as "dense_backward".
    right : str
        A part of its source. It occurs once, within one line.
    wrong : str
        The text that replaces it.
    """
    operation: str
    right: str
    wrong: str

    @property
    def file(self):
        """The name of the reference's file that the operation is in, without .py."""
        return getattr(kernels.load(SOURCE), self.operation).__module__.rpartition(".")[2]

    @property
    def lines(self):
        """(right, wrong): the whole line of the source, and what it becomes, without comments."""
        source = inspect.getsource(getattr(kernels.load(SOURCE), self.operation))
        part = self.right.strip()
        (line,) = (line for line in source.splitlines() if part in line.partition("  #")[0])
        right = line.partition("  #")[0].strip()
        return right, right.replace(part, self.wrong.strip())


class Verdict(NamedTuple):
    """The result of a check.

    Attributes
    ----------
    passed : bool
    says : str
        The numbers that were compared, in words.
    """
    passed: bool
    says: str


@dataclass(frozen=True)
class Mistake:
    """A mistake in one operation, or in several that belong together.

    Attributes
    ----------
    name : str
        Its name on the command line.
    title : str
        What the mistake is, in a few words.
    edits : tuple of Edit
    why : str
        Why the check catches it, and why a gradient check does not where that is so. Without a
        full stop at the end.
    gradient_check : function
        gradient_check() -> Verdict, by finite differences.
    check : function, optional
        check() -> Verdict: the check that catches the mistake. Default: the gradient check.
    check_name : str
        What that check is called.
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
    """The verdicts on a mistake.

    Attributes
    ----------
    mistake : Mistake
    gradient : Verdict
        Of the gradient check, with the mistake.
    named : Verdict
        Of the check named for the mistake, with the mistake.
    without : Verdict
        Of the check named for the mistake, without the mistake.
    """
    mistake: Mistake
    gradient: Verdict
    named: Verdict
    without: Verdict

    @property
    def caught(self):
        """Whether the named check fails with the mistake and passes without it."""
        return not self.named.passed and self.without.passed


class Ground:
    """Where mistakes are planted, and what the checks compute with: `backend`, a name or a folder.

    Any backend on NumPy's arrays will do: with a mistake it has the family of the operation from
    the reference, and all else of its own.
    """
    backend = SOURCE

    @classmethod
    @contextmanager
    def on(cls, backend):
        """Take this backend within the block."""
        before = cls.backend
        cls.backend = backend
        try:
            yield
        finally:
            cls.backend = before


def sabotage(mistake):
    """Return the Result of the checks with the mistake planted, and of the named one without it."""
    check = mistake.check or mistake.gradient_check
    with planted(mistake):
        gradient = mistake.gradient_check()
        named = check() if mistake.check else gradient
    return Result(mistake, gradient, named, check())


@contextmanager
def planted(mistake):
    """Give the backend's operations the mistake within the block."""
    module = kernels.load(Ground.backend)
    source = kernels.load(SOURCE)
    families = {getattr(source, edit.operation).declaration.family for edit in mistake.edits}
    planted = {name: getattr(source, name) for name, operation in operations(source).items()
               if operation.declaration.family in families}
    planted |= {f"{family}_scratch": getattr(source, f"{family}_scratch") for family in families
                if hasattr(source, f"{family}_scratch")}
    for edit in mistake.edits:
        edits = [other for other in mistake.edits if other.operation == edit.operation]
        planted[edit.operation] = faulty(getattr(source, edit.operation), edits)
    right = {name: getattr(module, name) for name in planted}
    try:
        vars(module).update(planted)
        yield
    finally:
        vars(module).update(right)


def faulty(function, edits):
    """Return the function compiled from its source with the edits.

    Raises
    ------
    ValueError
        If the text that an edit replaces does not occur exactly once.
    """
    source = inspect.getsource(function)
    for edit in edits:
        count = source.count(edit.right)
        if count != 1:
            raise ValueError(f"{edit.operation}: {edit.right!r} must occur once in its source, "
                             f"but occurs {count} times; change the edit to fit the source")
        source = source.replace(edit.right, edit.wrong)
    namespace = dict(inspect.unwrap(function).__globals__)
    exec(compile(source, f"<{function.__name__}, sabotaged>", "exec"), namespace)
    return namespace[function.__name__]
