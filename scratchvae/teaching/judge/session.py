"""A judgement of many operations, in a process of its own that may loop or crash."""
import json
import queue
import subprocess
import sys
import threading

from .coverage import GoldenResult
from .operations import Finding, Judgement

SECONDS = 20                    # that an operation of a user's may take
COMPILING = 600                 # and one that may have to be compiled first


class Session:
    """Judges operations of one backend.

    Parameters
    ----------
    backend, trusted : str
        The names of backends.
    names : list of str
        The operations to judge, in this order.
    golden : bool
        Whether to compare with outside numbers, too.

    Attributes
    ----------
    judgements : dict of name -> Judgement
    golden : list of GoldenResult
    """

    def __init__(self, backend, trusted, names, golden=True):
        self.backend = backend
        self.trusted = trusted
        self.waiting = list(names)
        self.want_golden = golden and bool(names)
        self.judgements = {}
        self.golden = []
        compiled = "cpu" in (backend, trusted)
        self.seconds = COMPILING if compiled else SECONDS

    def run(self):
        """Judge, and yield each Judgement when it is there."""
        while self.waiting or self.want_golden:
            before = len(self.waiting), self.want_golden
            for judgement in self._run_process():
                self.judgements[judgement.operation] = judgement
                yield judgement
            if before == (len(self.waiting), self.want_golden):
                raise RuntimeError("the judge's process ends before it begins")

    def _run_process(self):
        """Yield Judgements until the process ends, is done, or is stopped."""
        process = subprocess.Popen(
            [sys.executable, "-m", "scratchvae.teaching.judge.worker"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wrong = [name for name, judgement in self.judgements.items() if not judgement.passed]
        request = {"backend": self.backend, "trusted": self.trusted, "wrong": wrong,
                   "operations": self.waiting, "golden": self.want_golden}
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.close()
        lines = queue.Queue()
        reader = threading.Thread(target=read_lines, args=(process.stdout, lines), daemon=True)
        errors = []
        threading.Thread(target=lambda: errors.extend(process.stderr), daemon=True).start()
        reader.start()
        current = None
        try:
            while True:
                message = lines.get(timeout=self.seconds)
                if message is None:
                    break
                if "begin" in message:
                    current = message["begin"]
                    continue
                current = None
                if "golden" in message:
                    self.golden = [GoldenResult(**result) for result in message["golden"]]
                    self.want_golden = False
                else:
                    judgement = Judgement.from_dict(message["judgement"])
                    self.waiting.remove(judgement.operation)
                    yield judgement
            problem = "the process crashed: it may have written outside of an array"
        except queue.Empty:
            problem = f"it did not return within {self.seconds} seconds: an endless loop?"
        finally:
            process.kill()
            process.wait()
        last = [line.strip() for line in errors if line.strip()]
        if current == "golden":
            self.want_golden = False
            self.golden = [GoldenResult("comparisons with outside numbers", "", False,
                                        last[-1] if last else problem, [], [])]
        elif current:
            self.waiting.remove(current)
            yield Judgement(current, [Finding("", problem)])
        elif self.waiting or self.want_golden:
            raise RuntimeError(last[-1] if last else problem)


def read_lines(file, lines):
    """Put each line of JSON into a queue, and None at the end."""
    for line in file:
        lines.put(json.loads(line))
    lines.put(None)
