"""Break it and see: classic mistakes in backpropagation, each planted in a reference kernel, and
the check that catches it.

A mistake is data: lines of the kernel's source, and what they become.  So the line that is shown is
the line that runs.
"""

from .mistakes import MISTAKES
from .plant import Mistake, Result, sabotage
