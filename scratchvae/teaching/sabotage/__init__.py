"""Classic mistakes in backpropagation, each planted in a reference kernel, and caught by a check.

A mistake is stored as edits of lines in the kernel's source. So the line that is shown is the line
that runs.
"""
from .mistakes import MISTAKES
from .plant import Ground, Mistake, Result, sabotage
