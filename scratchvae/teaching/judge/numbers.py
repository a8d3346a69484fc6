"""Constant factors by name: 0.333 is 1/N if N is 3."""
import itertools

from ...kernels.activation_names import parse_activation

CLOSE = 1e-6                    # relative
COMMON = {"2": 2.0}


def name_factor(factor, sizes, options):
    """Return a number with the name that the call suggests for it: "-1/N, N = 3".

    Parameters
    ----------
    factor : float
    sizes : dict of letter -> int
        Those of the operation's arrays.
    options : dict of name -> value

    Returns
    -------
    str
        The number itself, if nothing in the call equals it.
    """
    sign = "-" if factor < 0 else ""
    size = abs(factor)
    if abs(size - 1) < CLOSE:
        return f"{sign}1"
    for text, value in known_numbers(sizes, options):
        if abs(size - value) <= CLOSE * value:
            return sign + text
        if abs(size * value - 1) <= CLOSE:
            return f"{sign}1/{text}" if text.isalnum() else f"{sign}1/({text})"
    return f"{factor:.6g}"


def known_numbers(sizes, options):
    """Yield (name, number) of what a factor is likely to be, the likeliest first."""
    sizes = {letter: size for letter, size in sizes.items() if size > 1}
    yield from COMMON.items()
    yield from sizes.items()
    numbers = {name: float(value) for name, value in options.items()
               if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0}
    yield from numbers.items()
    activation = str(options.get("activation", ""))
    if activation.startswith("leaky_relu"):
        yield "slope", parse_activation(activation)[1]
    for name, value in numbers.items():
        if value < 1:
            yield f"1 - {name}", 1 - value
    for letter, size in sizes.items():
        yield f"2 {letter}", 2 * size
        yield f"{letter}/({letter} - 1)", size / (size - 1)
    for first, second in itertools.combinations(sizes, 2):
        yield f"{first} {second}", sizes[first] * sizes[second]
    for letters in itertools.combinations(sizes, 3):
        yield " ".join(letters), sizes[letters[0]] * sizes[letters[1]] * sizes[letters[2]]
    for name, value in numbers.items():
        for letter, size in sizes.items():
            yield f"{name}/{letter}", value / size
            yield f"{name}/(2 {letter})", value / size / 2
            yield f"{name} {letter}", value * size
        for first, second in itertools.combinations(sizes, 2):
            yield f"{name}/({first} {second})", value / sizes[first] / sizes[second]
            yield f"2 {name}/({first} {second})", 2 * value / sizes[first] / sizes[second]
    if "beta_1" in options:
        step = options["step"]
        first = 1 - options["beta_1"] ** step
        second = (1 - options["beta_2"] ** step) ** 0.5
        yield "(1 - beta_1^step)", first
        yield "sqrt(1 - beta_2^step)", second
        yield "sqrt(1 - beta_2^step) / (1 - beta_1^step)", second / first
