"""Why something cannot be checked, or not trusted, by differences of its forward pass."""
import numpy as np


def problems_of(forward, backward, inputs, views=False):
    """Return what is wrong with a forward and a backward pass besides their numbers.

    Parameters
    ----------
    forward : function
        forward() -> array, for the present contents of the inputs.
    backward : function
        backward() -> dict of name -> gradient or None, after forward().
    inputs : dict of name -> array
    views : bool
        Whether the output may share memory with an input.

    Returns
    -------
    tuple of str
    """
    before = {name: array.copy() for name, array in inputs.items()}
    output = forward()
    first = np.array(output)
    found = [f"forward returns {name} itself: what is written to one changes the other; copy it"
             for name, array in inputs.items()
             if not views and isinstance(output, np.ndarray) and np.shares_memory(output, array)]
    found += changed("forward", before, inputs)
    if not np.array_equal(first, np.array(forward()), equal_nan=True):
        found.append("forward gives other numbers for the same input: something random inside; "
                     "draw the noise outside and pass it in")
    elif first.dtype != np.float64 or single(first):
        found.append("forward computes in float32, where differences see nothing but rounding; "
                     "keep the dtype of the input")
    gradients = copied(backward())
    found += changed("backward", before, inputs)
    forward()
    for name, gradient in copied(backward()).items():
        once = gradients[name]
        if once is not None and once.any() and np.allclose(gradient, 2 * once):
            found.append(f"backward adds to the gradient of {name} of the call before; set it anew")
    return tuple(found)


def changed(which, before, inputs):
    """Return a sentence for each input that was changed, and change it back."""
    found = []
    for name, array in inputs.items():
        if not np.array_equal(array, before[name], equal_nan=True):
            found.append(f"{which} changes its input {name}")
            array[...] = before[name]
    return found


def single(array):
    """Return whether numbers of float64 are all numbers of float32, which cannot be chance."""
    with np.errstate(over="ignore"):
        same = array.astype(np.float32) == array
    unusual = array != np.round(array * 16) / 16
    return array.size > 0 and bool(same.all()) and bool((unusual & same).any())


def copied(gradients):
    """Return copies of gradients, None where there is none."""
    return {name: None if gradient is None else np.array(gradient, np.float64)
            for name, gradient in gradients.items()}
