"""Hypotheses: is a wrong result the right one for other arguments?

The trusted operation is called with one argument changed: an array that is left out (zeros, ones,
a mask that masks nothing), or an option with another value. If this gives exactly the wrong result,
the mistake has a name: "as if mask were 1 everywhere".
"""
import numpy as np

from .calls import as_float64, right_call
from .patterns import differs


def as_if(trusted, call, name, wrong):
    """Return for which other argument a wrong result would be right, or an empty text.

    Parameters
    ----------
    trusted : module
    call : Call
    name : str
        The array's.
    wrong : float64 array
    """
    for words, changed in changes(call):
        try:
            result = right_call(trusted, changed).arrays[name]
        except Exception:
            continue
        if not differs(wrong, result.astype(np.float64)).any():
            return f"as if {words}"
    return ""


def changes(call):
    """Yield (words, Call) with one argument changed."""
    declaration = call.case.declaration
    call = call._replace(arrays=as_float64(call.arrays), forward=as_float64(call.forward))
    for name, declared in declaration.arrays.items():
        array = call.arrays[name]
        if array is None or declared.output or declared.kind in ("index", "place"):
            continue
        values = [(1, "1 everywhere")]
        if declared.kind != "bit":
            values += [(0, "0 everywhere")]
        for value, words in values:
            full = np.full_like(array, value)
            forward = call.forward | ({name: full} if name in call.forward else {})
            yield f"{name} were {words}", call._replace(arrays=call.arrays | {name: full},
                                                        forward=forward)
    for name, value in call.case.options.items():
        for words, other in other_values(declaration.options[name], value):
            options = call.case.options | {name: other}
            case = call.case._replace(options=options)
            yield f"{name} were {words}", call._replace(case=case)


def other_values(choices, value):
    """Yield (words, value) of what an option may have been taken for."""
    for other in choices:
        if other != value:
            yield other, other
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield "0", type(value)(0)
        if value != 1:
            yield "1", type(value)(1)
        if isinstance(value, float):
            yield "1 minus itself", 1 - value
            yield "its square", value * value
            yield "its square root", value ** 0.5
        else:
            yield "one more", value + 1
            yield "one less", value - 1
