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
from .calls import forward_of, in_one_line
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
    for name in request["operations"]:
        answer(answers, {"begin": name})
        judgement = judged(backend, trusted, name, wrong)
        answer(answers, {"judgement": judgement.as_dict()})
        if not judgement.passed:
            wrong.append(name)
            if hasattr(backend, "written"):
                own.use_reference(backend, name)
    if request["golden"]:
        answer(answers, {"begin": "golden"})
        answer(answers, {"golden": [result._asdict() for result in golden_results(backend)]})


def judged(backend, trusted, name, wrong):
    """Return the Judgement of an operation; one that needs a wrong forward pass waits for it."""
    forward = forward_of(name)
    if forward in wrong and not hasattr(backend, "written") and getattr(
            backend, name).declaration.has_scratch:
        return Judgement(name, follows=forward)
    try:
        return judge(backend, trusted, name)
    except Exception as error:          # the judge could not stand what the kernel did
        return Judgement(name, [Finding("", in_one_line(error))])


def answer(file, message):
    """Write one line of JSON at once."""
    print(json.dumps(message), file=file, flush=True)


if __name__ == "__main__":
    main()
