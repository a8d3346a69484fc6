"""Shards: parts of a batch whose gradients are added as one tree, on one machine or on many."""
from .mpi import started
from .processes import ONE
from .shards import Shards
