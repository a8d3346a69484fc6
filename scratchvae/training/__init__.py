"""Training: the loop over epochs and batches, its callbacks, and its history."""
from .fit import fit
from .history import History
