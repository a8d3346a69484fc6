"""PyTorch: weights as a state_dict, and the model as a script."""
from . import layers, script, weights
