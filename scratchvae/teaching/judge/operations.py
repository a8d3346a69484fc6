"""The judgement of one operation: is it right, and if not, where and what does it look like?"""
from dataclasses import asdict, dataclass, field

import numpy as np

from ...kernels import cases
from . import differences
from .calls import (
    forward_of,
    is_work_space,
    make_call,
    options_in_words,
    right_call,
    run,
)
from .hypotheses import as_if
from .patterns import Comparison, differs, looks_like
from .quantities import PARTS
from .terms import letters_of
from .trials import ONE_ARRAY, PRECISION, ROOM, SAME, trials, usual_sizes, which_fail

GARBAGE = 0.5                   # what outputs hold before a second call
# Words that say more than "as if an argument were another one".
PLAIN = ("unchanged", "zero in", "a constant", "the sign", "not a number")
TERMS = ("a term is", "a factor is")
# Outputs that others of the same operation are computed from.
UPSTREAM = {"mean", "variance", "log_total", "m", "v", "velocity"}
SHOWN = 3                       # findings of one operation that are kept


@dataclass
class Finding:
    """Something wrong with an operation.

    Attributes
    ----------
    array : str
        The array that is wrong, or empty.
    says : str
        What is wrong, in one sentence, with its evidence.
    case : str
        The sizes and options of the call.
    worst : str
        The worst element with both numbers, or empty.
    looks : list of str
        What the array looks like.
    """
    array: str
    says: str
    case: str = ""
    worst: str = ""
    looks: list = field(default_factory=list)


@dataclass
class Judgement:
    """What was found about an operation.

    Attributes
    ----------
    operation : str
    findings : list of Finding
        Empty if it is right.
    only : str
        Which cases are wrong, if some are right.
    right : list of str
        Outputs that are right in all cases.
    proofs : list of str
        What was compared, in words.
    agrees : bool or None
        Whether the backward pass is the derivative of the backend's own forward pass; None if
        there is no backward pass to compare.
    follows : str
        The operation that must be right before this one can be judged.
    """
    operation: str
    findings: list = field(default_factory=list)
    only: str = ""
    right: list = field(default_factory=list)
    proofs: list = field(default_factory=list)
    agrees: bool = None
    follows: str = ""

    @property
    def passed(self):
        """Whether nothing wrong was found."""
        return not self.findings and not self.follows

    def as_dict(self):
        """Return the judgement as JSON's types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values):
        """Return the judgement that as_dict gave."""
        findings = [Finding(**finding) for finding in values["findings"]]
        return cls(**{**values, "findings": findings})


def judge(backend, trusted, name, with_differences=True):
    """Return the Judgement of an operation.

    Parameters
    ----------
    backend : module
        Whose operation is judged.
    trusted : module
        A backend that is taken to be right.
    name : str
        The operation's name.
    with_differences : bool
        Whether a backward pass is also compared with central differences.
    """
    judgement = Judgement(name)
    operation = getattr(backend, name)
    outputs = [array.name for array in operation.declaration.arrays.values() if array.output]
    tried = []                          # (case, dtype, variant, outputs that are wrong)
    for case, dtype, variant, values in trials(backend, operation):
        call = make_call(case, dtype, values)
        if variant == ONE_ARRAY:
            call = call._replace(same=SAME[name])
        if variant == ROOM:
            call = call._replace(room=2)
        wrong = try_call(backend, trusted, call, variant, judgement)
        tried.append((case, dtype, variant, wrong))
    judgement.right = [output for output in outputs
                       if not any(output in wrong for *_, wrong in tried)]
    judgement.only = which_fail(tried)
    if operation is getattr(trusted, name):
        judgement.proofs.append(f"the {trusted.NAME} backend's own function")
    else:
        judgement.proofs.append(f"{len(tried)} calls beside the {trusted.NAME} backend")
    if with_differences:
        compare_with_differences(backend, operation, judgement)
    del judgement.findings[SHOWN:]
    return judgement


def try_call(backend, trusted, call, variant, judgement):
    """Call an operation twice, add to the findings, and return the outputs that are wrong."""
    declaration = call.case.declaration
    words = options_in_words(call.case) + f"; {call.dtype}" + (f"; {variant}" if variant else "")
    result = run(backend, call)
    if result.error:
        if not any(finding.array == "" for finding in judgement.findings):
            shapes = ", ".join(f"{name} {array.describe_shape()}"
                               for name, array in declaration.arrays.items())
            looks = [f"the arrays of {declaration.name}: {shapes}"]
            judgement.findings.append(Finding("", result.error, words, looks=looks))
        return [array.name for array in declaration.arrays.values() if array.output]
    for name in result.changed:
        add(judgement, Finding(name, f"{name} is an input and was changed", words))
    exact = right_call(trusted, call)
    right = exact.arrays
    order = sorted(right, key=lambda name: name not in UPSTREAM)
    wrong = [name for name, array in ((name, right[name]) for name in order)
             if declaration.arrays[name].output and not is_work_space(declaration, name)
             and not equal(result.arrays[name], array, call.dtype)]
    if not wrong:
        add_wrong_scratch(judgement, call, result, exact, words)
    again = run(backend, call, GARBAGE)
    if call.same and wrong:
        pairs = " and ".join(f"{name} is {other}" for name, other in call.same.items())
        add(judgement, Finding(wrong[0], f"{wrong[0]} is wrong where {pairs}: layers pass one "
                               "array for both", words))
        return wrong
    for name in wrong[:1]:
        finding = describe(call, name, result, again, right, words)
        if not any(other.worst for other in judgement.findings):
            guess = as_if(trusted, call, name, result.arrays[name].astype(np.float64))
            of_option = any(guess.startswith(f"as if {option} ") for option in call.case.options)
            said = PLAIN if of_option else PLAIN + TERMS
            if guess and not (finding.looks and finding.looks[0].startswith(said)):
                finding.looks = [guess]
        add(judgement, finding)
    if not wrong and not again.error and not call.same:
        wrong = [name for name, array in again.arrays.items()
                 if declaration.arrays[name].output and not is_work_space(declaration, name)
                 and not np.array_equal(array, result.arrays[name], equal_nan=True)]
        for name in wrong[:1]:
            add(judgement, Finding(name, f"a second call with the same inputs gives other numbers "
                                   f"in {name}: it depends on what the array held before, or on "
                                   "something random", words))
    return wrong + [name for name in result.changed if name not in wrong]


def add_wrong_scratch(judgement, call, result, right, words):
    """Add what a recurrent forward pass left wrongly for its backward pass, at steps taken."""
    declaration = call.case.declaration
    fields = getattr(right.scratch, "_fields", ())
    if declaration.family not in PARTS or not declaration.name.endswith("_forward") or (
            getattr(result.scratch, "_fields", None) != fields):
        return
    taken = call.arrays["mask"] != 0
    for name in fields:
        mine = getattr(result.scratch, name)[:len(taken)][taken].astype(np.float64)
        exact = getattr(right.scratch, name)[:len(taken)][taken]
        if differs(mine, exact, PRECISION[str(call.dtype)]).any():
            add(judgement, Finding(
                f"scratch.{name}", f"scratch.{name} is wrong, which the backward pass reads",
                words, f"largest difference {np.abs(mine - exact).max():.3g}"))
            return


def equal(actual, expected, dtype):
    """Return whether an output is right."""
    if actual.dtype.kind == "i":
        return np.array_equal(actual, expected)
    return not differs(actual.astype(np.float64), expected, PRECISION[str(dtype)]).any()


def add(judgement, finding):
    """Add a finding, unless there is one about the same array already.

    Of arrays with wrong numbers the first one is enough: others often follow from it.
    """
    same = [other for other in judgement.findings
            if other.array == finding.array or other.worst and finding.worst]
    if not same:
        judgement.findings.append(finding)


def describe(call, name, result, again, right, words):
    """Return the Finding of a wrong array: its worst element, and what it looks like."""
    declaration = call.case.declaration
    declared = declaration.arrays[name]
    wrong = result.arrays[name].astype(np.float64)
    exact = right[name].astype(np.float64)
    finding = Finding(name, f"{name} {wrong.shape} is wrong", words)
    if not declared.updated and np.isnan(wrong).all() and not np.isnan(exact).any():
        finding.looks = [never_written(name, again, exact)]
        return finding
    finding.worst = worst_element(name, wrong, exact)
    if not declared.updated and not again.error and not equal(again.arrays[name], wrong, "float64"):
        partly = np.isnan(wrong) & ~np.isnan(exact)
        if partly.any() and not differs(again.arrays[name], exact)[~partly].any():
            finding.looks = [f"{int(partly.sum())} of {wrong.size} elements were not written"]
        elif not again.error and not differs(again.arrays[name] - GARBAGE, exact).any():
            finding.looks = ["it adds to what the array held before the call; set it first"]
        if finding.looks:
            return finding
    known = call.forward | {key: array for key, array in call.arrays.items() if array is not None}
    known |= {key: array for key, array in right.items()
              if key not in known or not declaration.arrays.get(key, declared).output}
    if declared.kind == "index" and "equal numbers" in words:
        finding.looks = ["of equal numbers another one is chosen; the first one must win"]
        return finding
    before = call.arrays[name].astype(np.float64) if declared.updated else None
    comparison = Comparison(declaration, name, wrong, exact, before,
                            letters_of(declared, wrong), call.case.sizes, call.case.options,
                            {key: array for key, array in known.items() if array is not None})
    with np.errstate(all="ignore"):
        finding.looks = looks_like(comparison)
    return finding


def never_written(name, again, exact):
    """Return why an array may have been left as it was."""
    if not again.error and not differs(again.arrays[name] - GARBAGE, exact).any():
        return "it adds to what the array held before the call; set it first"
    if not again.error and (again.arrays[name] != GARBAGE).any():
        return "it depends on what the array held before the call; set all of it first"
    return (f"it was never written: {name} = ... makes a new array and leaves the one that was "
            f"given, {name}[...] = ... fills it")


def worst_element(name, wrong, exact):
    """Return the worst element with both numbers as text."""
    with np.errstate(invalid="ignore"):
        distance = np.abs(wrong - exact)
    distance[np.isnan(distance)] = np.inf
    index = np.unravel_index(int(distance.argmax()), wrong.shape)
    place = ", ".join(map(str, index))
    return f"{name}[{place}] is {wrong[index]:.7g}, right is {exact[index]:.7g}"


def compare_with_differences(backend, operation, judgement):
    """Add what central differences say of a backward pass."""
    declaration = operation.declaration
    if not forward_of(declaration.name):
        return
    count = 0
    for number, case in enumerate(cases.cases_of(operation, usual_sizes(operation))):
        call = make_call(case, np.dtype(np.float64))
        found = differences.check(backend, call, every=number == 0)
        if isinstance(found, str):
            judgement.agrees = False
            return
        count += len(found)
        for array, (error, index, analytic, numeric) in found.items():
            if not error <= differences.TOLERANCE:
                judgement.agrees = False
                if judgement.passed:
                    place = ", ".join(map(str, np.unravel_index(index, call.forward[array].shape)))
                    judgement.findings.append(Finding(
                        f"d{array}", f"d{array}[{place}] is {analytic:.7g}, the central difference "
                        f"of the forward pass is {numeric:.7g}", options_in_words(case)))
                return
    if count:
        judgement.agrees = True
        judgement.proofs.append(f"{count} gradients by central differences")
