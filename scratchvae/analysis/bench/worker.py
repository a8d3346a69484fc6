"""The process of one framework in a benchmark.

It reads lines of JSON from its standard input and answers each with a line of JSON. The first line
says what to train; every later line is a number of steps.
"""
import importlib
import json
import os
import sys
import time

import numpy as np


def main():
    """Answer every line of the standard input until it ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)               # what a framework prints to the standard output goes to the log
    setup = json.loads(sys.stdin.readline())
    trainer = make_trainer(setup)
    examples = np.load(setup["examples"])
    size = setup["batch_size"]
    starts = range(0, len(examples) - size + 1, size)
    batches = [trainer.put(examples[start:start + size]) for start in starts]
    answer(answers, {"version": trainer.version})
    for line in sys.stdin:
        answer(answers, train(trainer, batches, json.loads(line)))


def make_trainer(setup):
    """Return the Trainer of the framework that the setup names."""
    package = "scratchvae.analysis.bench"
    framework = setup["framework"]
    name = "ours" if framework == "scratchvae" else f"peers.{framework}"
    module = importlib.import_module(f"{package}.{name}")
    return module.Trainer(setup["model"], setup["optimizer"], setup["batch_size"],
                          setup["threads"], **setup["options"])


def train(trainer, batches, steps):
    """Train a number of steps; return their time in seconds, and the launches per step."""
    launches = trainer.launches
    started = time.perf_counter()
    for step in range(steps):
        trainer.step(batches[step % len(batches)])
    trainer.wait()
    seconds = time.perf_counter() - started
    if launches is not None:
        launches = (trainer.launches - launches) // steps
    return {"seconds": seconds, "launches": launches}


def answer(file, message):
    """Write one line of JSON to a file at once."""
    print(json.dumps(message), file=file, flush=True)


if __name__ == "__main__":
    main()
