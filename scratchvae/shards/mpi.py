"""Several processes over MPI. All of the transport is MPI's, by way of mpi4py."""
import contextlib
import os
import sys
import time

import numpy as np

from ..errors import ScratchVAEError
from .processes import ONE, One

# How many processes there are, as Open MPI, MPICH and srun tell each of them.
SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS")

SPIN = 0.002                    # seconds of waiting at full speed; ...
NAP = 0.0005                    # ... then with pauses, which leave the processor to others
NOTE = 20                       # seconds after which a line says who is waited for
LIMIT = 60                      # seconds after which a process that says nothing is given up
FAREWELL = 10                   # seconds in which all processes must have met the same error


def started():
    """Return the processes that mpiexec or srun started together with this one; often just ONE.

    Raises
    ------
    ScratchVAEError
        If there are several, but mpi4py is missing, or belongs to another MPI.
    """
    count = max(int(os.environ.get(name) or 1) for name in SIZES)
    if count == 1:
        return ONE
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise ScratchVAEError(f"this is one of {count} processes of MPI, but mpi4py cannot be "
                              f"loaded ({error}); pip install -e '.[mpi]'") from None
    if MPI.COMM_WORLD.size != count:
        raise ScratchVAEError(f"mpiexec started {count} processes, but mpi4py sees "
                              f"{MPI.COMM_WORLD.size}: it belongs to another MPI than mpiexec; "
                              "install it with pip install --no-binary mpi4py mpi4py")
    if count & (count - 1):
        raise ScratchVAEError(f"the number of processes must be a power of two, got {count}")
    return Several(MPI.COMM_WORLD)


class Several(One):
    """All processes of a communicator; see One for what the methods do.

    Parameters
    ----------
    world : mpi4py.MPI.Comm
    """

    def __init__(self, world):
        self.world = world
        self.endings = world.Dup()              # of `together`: never mixed up with other messages
        self.rank = world.rank
        self.count = world.size
        self.buffer = np.empty(0, np.uint8)

    # Sums. A tree over the processes, whose leaves are arrays x_r:
    #
    #     ((x0 + x1) + (x2 + x3)) + ...
    #
    # Each process adds a part of the array alone. It exchanges halves with the neighbour at
    # distance 1 and adds them, then halves of its half at distance 2, and so on. Afterwards the
    # finished parts go the same way back. So an array crosses the network twice, however many
    # processes there are, and every element is the same tree, computed once and copied.

    def sum(self, x):
        self._sum(x, self._exchange)

    def sum_small(self, x):
        self._sum(x, self._exchange_patiently)

    def _sum(self, x, exchange):
        part = x
        halves = []
        for level in range(self.count.bit_length() - 1):
            neighbour = self.rank ^ 1 << level
            low = part[:part.size // 2]
            high = part[part.size // 2:]
            mine, theirs = (low, high) if self.rank < neighbour else (high, low)
            received = self._buffer(mine)
            exchange(theirs, received, neighbour)
            mine += received
            halves.append((neighbour, mine, theirs))
            part = mine
        for neighbour, mine, theirs in reversed(halves):
            exchange(mine, theirs, neighbour)

    def _buffer(self, x):
        """Return memory like x, the same each time."""
        if self.buffer.size < x.nbytes:
            self.buffer = np.empty(x.nbytes, np.uint8)
        return self.buffer[:x.nbytes].view(x.dtype)

    def _exchange(self, give, take, neighbour):
        self.world.Sendrecv(give, neighbour, recvbuf=take, source=neighbour)

    # Waiting. Before a large exchange the processes meet in a small one, which says who is late.

    def _exchange_patiently(self, give, take, neighbour):
        requests = [self.world.Irecv(take, neighbour), self.world.Isend(give, neighbour)]
        self._wait(lambda: all([request.Test() for request in requests]), neighbour)

    def _wait(self, is_done, neighbour):
        """Return when is_done() is true; say who is waited for if that takes long."""
        begun = time.monotonic()
        said = 0
        while not is_done():
            waited = time.monotonic() - begun
            if waited > SPIN:
                time.sleep(NAP)
            if waited > NOTE * (said + 1):
                said += 1
                self._say(f"note: process {self.rank} has waited {waited:.0f} s for process "
                          f"{neighbour}")
            if waited > LIMIT:
                self._abort(f"Error: process {neighbour} has said nothing for {LIMIT} s")

    def _meet(self):
        self.sum_small(np.zeros(1))

    # Agreeing.

    def gather(self, thing):
        self._meet()
        return self.world.allgather(thing)

    def collect(self, results):
        parts = self.gather(results)
        return [parts[number % self.count][number // self.count]
                for number in range(sum(map(len, parts)))]

    def share(self, function):
        result = error = None
        if self.rank == 0:
            try:
                result = function()
            except ScratchVAEError as raised:
                error = str(raised)
        self._meet()
        result, error = self.world.bcast((result, error))
        if error is not None:
            raise ScratchVAEError(error)
        return result

    def compare(self, facts):
        everyone = self.gather(facts)
        for name, first in everyone[0].items():
            for rank, other in enumerate(everyone):
                if other[name] != first:
                    raise ScratchVAEError(f"the processes differ in {name}: process 0 has {first}, "
                                          f"process {rank} has {other[name]}")

    def threads(self):
        """Return how many threads this process may use: its cores, or its share of the machine's.

        Where mpiexec has bound the process to cores, these are its own.
        """
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        if cores < os.cpu_count():
            return cores
        from mpi4py import MPI
        return max(1, cores // self.world.Split_type(MPI.COMM_TYPE_SHARED).size)

    # Ending.

    @contextlib.contextmanager
    def together(self):
        """End the block in all processes, or in none; see One.

        If all of them raise an error, the error of process 0 is the one that is shown. If only some
        do, the others wait for messages that will never come: MPI ends them.
        """
        failed = None
        try:
            yield
        except BaseException as error:
            failed = error
        if not self._all_arrive(FAREWELL if failed else None):
            self._abort(f"Error: process {self.rank} of {self.count}: {in_words(failed)}",
                        130 if isinstance(failed, KeyboardInterrupt) else 1)
        problems = self.endings.allgather(in_words(failed))
        if failed and self.rank == 0:
            raise failed
        if any(problems):
            if self.rank == 0:
                rank = next(rank for rank, problem in enumerate(problems) if problem)
                raise ScratchVAEError(f"process {rank} of {self.count}: {problems[rank]}")
            sys.exit(failed.code if isinstance(failed, SystemExit) else 1)

    def _all_arrive(self, seconds):
        """Return whether all processes come here, within so many seconds or, if None, at all."""
        request = self.endings.Ibarrier()
        begun = time.monotonic()
        while not request.Test():
            if seconds and time.monotonic() - begun > seconds:
                return False
            time.sleep(0.01)
        return True

    def _say(self, line):
        print(line, file=sys.__stderr__, flush=True)

    def _abort(self, line, code=1):
        self._say(line)
        self.world.Abort(code)


def in_words(error):
    """Return an error in one line; of none, an empty text."""
    if error is None:
        return ""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return str(error) if isinstance(error, ScratchVAEError) else f"{type(error).__name__}: {error}"
