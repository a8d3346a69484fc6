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
            before = (len(self.waiting), self.want_golden)
            for judgement in self._run_process():
                self.judgements[judgement.operation] = judgement
                yield judgement
            if before == (len(self.waiting), self.want_golden):
                raise RuntimeError("the judge's process ends before it begins")

    def _run_process(self):
        """Yield Judgements until a process is done, or ends too early, or takes too long."""
        current = None                  # what is judged now
        with Process(self._request()) as process:
            for message in process.messages(self.seconds):
                current = message.get("begin")
                if "golden" in message:
                    self.golden = [GoldenResult(**result) for result in message["golden"]]
                    self.want_golden = False
                elif "judgement" in message:
                    judgement = Judgement.from_dict(message["judgement"])
                    self.waiting.remove(judgement.operation)
                    yield judgement
        if current == "golden":
            self.want_golden = False
            self.golden = [GoldenResult("comparisons with outside numbers", "", False,
                                        process.last_words or process.problem, [], [])]
        elif current:
            self.waiting.remove(current)
            yield Judgement(current, [Finding("", process.problem)])
        elif self.waiting or self.want_golden:
            raise RuntimeError(process.last_words or process.problem)

    def _request(self):
        """Return what the process shall do."""
        wrong = [name for name, judgement in self.judgements.items() if not judgement.passed]
        return {"backend": self.backend, "trusted": self.trusted, "wrong": wrong,
                "operations": self.waiting, "golden": self.want_golden}


class Process:
    """A process of worker.py that answers one request.

    Parameters
    ----------
    request : dict

    Attributes
    ----------
    problem : str
        Why it ended before it had answered everything.
    last_words : str
        The last line of its standard error.
    """

    def __init__(self, request):
        self.request = request
        self.problem = "the process crashed: it may have written outside of an array"
        self.last_words = ""
        self._lines = queue.Queue()

    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scratchvae.teaching.judge.worker"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._process.stdin.write(json.dumps(self.request) + "\n")
        self._process.stdin.close()
        for read in (self._read_answers, self._read_errors):
            threading.Thread(target=read, daemon=True).start()
        return self

    def __exit__(self, *error):
        self._process.kill()
        self._process.wait()

    def messages(self, seconds):
        """Yield its answers until it ends, or takes longer than so many seconds for one."""
        while True:
            try:
                message = self._lines.get(timeout=seconds)
            except queue.Empty:
                self.problem = f"it did not return within {seconds} seconds: an endless loop?"
                return
            if message is None:
                return
            yield message

    def _read_answers(self):
        """Put each line of JSON into the queue, and None at the end."""
        for line in self._process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(None)

    def _read_errors(self):
        """Keep the last line of the standard error."""
        for line in self._process.stderr:
            self.last_words = line.strip() or self.last_words
