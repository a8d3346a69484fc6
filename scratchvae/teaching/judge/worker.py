"""The process in which kernels are judged.

They may loop for ever or crash, and then only this process ends. It writes a line of JSON for each
operation that it begins, and one for its judgement.

    python -m scratchvae.teaching.judge.worker < request.json
"""
import json
import os
import sys

from ... import kernels
from ...kernels import own
from .calls import forward_of, in_one_line, keeps_scratch
from .coverage import golden_results
from .operations import Finding, Judgement, judge


def main():
    """Answer one request: {"backend", "trusted", "operations", "wrong", "golden"}."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)                       # what a learner's kernel prints is not an answer
    request = json.loads(sys.stdin.readline())
    backend = kernels.load(request["backend"])
    trusted = kernels.load(request["trusted"])
    wrong = list(request["wrong"])
    if hasattr(backend, "written"):
        for name in wrong:
            own.use_reference(backend, name)
    lent = []
    for name in request["operations"]:
        answer(answers, {"begin": name})
        judgement = judged(backend, trusted, name, wrong)
        answer(answers, {"judgement": judgement.as_dict()})
        if not judgement.passed:
            wrong.append(name)
            if hasattr(backend, "written"):
                own.use_reference(backend, name)
            else:
                lent += lend(backend, trusted, name)
    for module, member, operation in lent:
        setattr(module, member, operation)
    if request["golden"]:
        answer(answers, {"begin": "golden"})
        answer(answers, {"golden": [result._asdict() for result in golden_results(backend)]})


def lend(backend, trusted, name):
    """Let the other files of a backend of the library use the trusted operation.

    So an operation that only calls a wrong one is not judged wrong. The backend itself keeps its
    own, for the comparisons with outside numbers.

    Returns
    -------
    list of (module, name, operation)
        What must be put back.
    """
    mine = getattr(backend, name)
    if mine.declaration.has_scratch:            # work space of one backend is none of another
        return []
    changed = [(module, member, mine) for key, module in list(sys.modules.items())
               if key.startswith(f"{backend.__name__}.")
               for member, value in vars(module).items() if value is mine]
    for module, member, _ in changed:
        setattr(module, member, getattr(trusted, name))
    return changed


def judged(backend, trusted, name, wrong):
    """Return the Judgement of an operation; one that reads what a wrong one leaves waits for it."""
    forward = forward_of(name)
    if forward in wrong and not hasattr(backend, "written") and keeps_scratch(backend, name):
        return Judgement(name, follows=forward)
    try:
        return judge(backend, trusted, name, with_differences=forward not in wrong)
    except Exception as error:          # the judge could not stand what the kernel did
        return Judgement(name, [Finding("", in_one_line(error))])


def answer(file, message):
    """Write one line of JSON at once."""
    print(json.dumps(message), file=file, flush=True)


if __name__ == "__main__":
    main()
