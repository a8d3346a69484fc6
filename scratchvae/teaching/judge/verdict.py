"""Verdicts on whole backends: which operation is at fault, and what is proven about the others."""
from typing import NamedTuple

from .calls import forward_of
from .coverage import suspects
from .session import Session


class Verdict(NamedTuple):
    """What is known about a backend.

    Attributes
    ----------
    backend, trusted : str
    judgements : dict of name -> Judgement
    golden : list of GoldenResult
    innocent : dict of name -> str
        Operations that differ from the trusted backend's and are right: why.
    """
    backend: str
    trusted: str
    judgements: dict
    golden: list
    innocent: dict = {}

    @property
    def wrong(self):
        """The judgements of the operations that are wrong, in the order of judging."""
        return [judgement for name, judgement in self.judgements.items()
                if not judgement.passed and name not in self.innocent]

    @property
    def right(self):
        """The judgements of the operations in which nothing wrong was found."""
        return [judgement for judgement in self.judgements.values() if judgement.passed]

    @property
    def elsewhere(self):
        """Failed comparisons with outside numbers that no wrong operation explains."""
        wrong = {judgement.operation for judgement in self.wrong}
        return [result for result in self.golden
                if not result.passed and not wrong & set(result.operations)]

    @property
    def suspects(self):
        """The functions that are probably at fault in `elsewhere`."""
        return suspects(self.golden) if self.elsewhere else []

    @property
    def passed(self):
        """Whether nothing wrong was found."""
        return not self.wrong and not self.elsewhere


def judge_subject(subject, progress, golden=True):
    """Return the Verdict on a Subject.

    Parameters
    ----------
    subject : Subject
    progress : function
        progress(iterator of Judgements, count) -> the same, shown as it advances.
    golden : bool
        Whether to compare with outside numbers.
    """
    session = Session(subject.backend, subject.trusted, subject.operations, golden)
    for _ in progress(session.run(), len(subject.operations)):
        pass
    return Verdict(subject.backend, subject.trusted, session.judgements, session.golden)


def judge_each_other(subjects, progress):
    """Return the Verdicts on two backends that are compared with each other.

    Where they differ, the one that also contradicts itself, central differences or numbers from
    outside is at fault.
    """
    first, second = (judge_subject(subject, progress) for subject in subjects)
    return [first._replace(innocent=acquitted(first, second)),
            second._replace(innocent=acquitted(second, first))]


def acquitted(verdict, other):
    """Return the operations of a verdict that differ from the other backend's but are right."""
    found = {}
    for name, judgement in verdict.judgements.items():
        if not judgement.passed and evidence(other, name) and not evidence(verdict, name):
            found[name] = f"differs from {other.backend}, which is wrong: {evidence(other, name)}"
    return found


def evidence(verdict, name):
    """Return what speaks against an operation besides the other backend, or an empty text."""
    judgement = verdict.judgements[name]
    for finding in judgement.findings:
        if not finding.says.endswith("is wrong"):
            return finding.says
    pair = [name] + [other for other in verdict.judgements if forward_of(other) == name]
    pair += [forward_of(name)] if forward_of(name) else []      # forward and backward pass
    if any(verdict.judgements[other].agrees is False for other in pair
           if other in verdict.judgements):
        return "forward and backward pass contradict each other"
    return next((f"{result.name}: {result.says}" for result in verdict.golden
                 if not result.passed and set(pair) & set(result.operations)), "")
