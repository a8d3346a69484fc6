"""The processes of a training behind one small interface: one process, or several over MPI.

All processes make the same steps on the same data, each on its own shards of every batch. They must
come to the same calls of this interface in the same order. Process 0 alone writes and shows.
"""
import contextlib


class One:
    """The only process of a training."""
    rank = 0
    count = 1

    def deal(self, count):
        """Return which of so many pieces of work are this process's: every R-th of them."""
        return range(self.rank, count, self.count)

    def collect(self, results):
        """Return the results of all pieces that were dealt, in their order."""
        return results

    def gather(self, thing):
        """Return the things of all processes in a list."""
        return [thing]

    def share(self, function):
        """Let process 0 call a function; return its result, or raise its error, in all of them."""
        return function()

    def compare(self, facts):
        """Refuse to go on if the processes differ in one of these facts, a dict."""

    def sum_small(self, x):
        """x = the sum over all processes of x, a NumPy array of a few numbers."""

    def sum(self, x):
        """x = the sum over all processes of x, a flat NumPy array."""

    def together(self):
        """Return a context manager: an error in one process ends all of them, with one line."""
        return contextlib.nullcontext()


ONE = One()
