"""Keras: weights in its files, and the model as a script."""
from . import script, weights
