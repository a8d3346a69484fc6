"""The sum of arrays as a balanced tree, with few of them in memory.

Floating-point addition is not associative: (a + b) + c and a + (b + c) may differ in their last
bits. A sum has the same bits everywhere if it is always the same tree,

    ((x0 + x1) + (x2 + x3)) + ((x4 + x5) + (x6 + x7)).

It is commutative: x0 + x1 and x1 + x0 are the same bits. So the arrays may come from the last to
the first as well, and each half of the tree may be computed elsewhere.
"""


class Tree:
    """Adds up `leaves` arrays, which come one after another.

    It counts them in binary. Each digit 1 of the count stands for the sum of that many arrays,
    which waits for a neighbour of its size, and a new array is carried as in 0111 + 1 = 1000:

        after x0   x0
        after x1        x0 + x1
        after x2   x2   x0 + x1
        after x3                  (x0 + x1) + (x2 + x3)

    So log2(leaves) buffers suffice, where keeping all arrays would take one for each.

    Parameters
    ----------
    kernels : module
        The backend of the arrays.
    leaves : int
        A power of two.
    """

    def __init__(self, kernels, leaves):
        self.kernels = kernels
        self.leaves = leaves
        self.count = 0
        self.waiting = []       # the sum of 1, 2, 4, ... arrays, where the digit of `count` is 1

    def push(self, x):
        """Add an array, which is overwritten. The last of the leaves becomes the sum of all."""
        level = 0
        while self.count >> level & 1:
            self.kernels.add(self.waiting[level], x)
            level += 1
        self.count += 1
        if self.count == self.leaves:
            self.count = 0
            return
        if level == len(self.waiting):
            self.waiting.append(self.kernels.empty(x.shape, x.dtype))
        self.kernels.copy(x, self.waiting[level])
