"""One framework's process in a benchmark: reads a line of JSON, trains, answers with a line of JSON.

The first line says what to train; each further one is a number of steps.
"""
import importlib
import json
import os
import sys
import time

import numpy as np


def main():
    """Serve until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)               # frameworks print what they like to the standard output: that goes to the error log
    setup = json.loads(sys.stdin.readline())
    module = "scratchvae.analysis.bench.ours" if setup["framework"] == "scratchvae" else f"scratchvae.analysis.bench.peers.{setup['framework']}"
    trainer = importlib.import_module(module).Trainer(setup["model"], setup["optimizer"], setup["batch_size"], setup["threads"],
                                                      **setup["options"])
    examples, size = np.load(setup["examples"]), setup["batch_size"]
    batches = [trainer.put(examples[start:start + size]) for start in range(0, len(examples) - size + 1, size)]
    answer(answers, {"version": trainer.version})
    for line in sys.stdin:
        steps = json.loads(line)
        launches, started = trainer.launches, time.perf_counter()
        for step in range(steps):
            trainer.step(batches[step % len(batches)])
        trainer.wait()
        seconds = time.perf_counter() - started
        answer(answers, {"seconds": seconds, "launches": None if launches is None else (trainer.launches - launches) // steps})


def answer(answers, message):
    """Write one line, at once."""
    print(json.dumps(message), file=answers, flush=True)


if __name__ == "__main__":
    main()
