"""The names of the activations, as users write them."""
import functools
import re

from .errors import ScratchVAEError

ACTIVATIONS = ("linear", "relu", "leaky_relu", "sigmoid", "tanh", "softmax")
LEAKY_RELU_SLOPE = 0.2          # Keras's for the bare name; "leaky_relu(0.3)" sets another
EXAMPLES = (*ACTIVATIONS, "leaky_relu(0.3)")        # every case that tests should see


@functools.lru_cache(maxsize=None)
def parse_activation(activation):
    """Return the name and the negative slope of an activation.

    Parameters
    ----------
    activation : str
        One of ACTIVATIONS, or "leaky_relu(SLOPE)".

    Returns
    -------
    (str, float)
        "relu" gives ("relu", 0.0); "leaky_relu(0.3)" gives ("leaky_relu", 0.3).

    Raises
    ------
    ScratchVAEError
        If there is no such activation.
    """
    if isinstance(activation, str):
        match = re.fullmatch(r"leaky_relu(?:\((\d*\.?\d+)\))?", activation)
        if match:
            return "leaky_relu", float(match.group(1) or LEAKY_RELU_SLOPE)
    if activation not in ACTIVATIONS:
        raise ScratchVAEError(f"unknown activation {activation!r}; "
                              f"allowed: {', '.join(ACTIVATIONS)}, leaky_relu(SLOPE)")
    return activation, 0.0
