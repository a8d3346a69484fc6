"""What the scripts of all frameworks have in common: their comparison with the run's examples."""

DISTRIBUTION = ("z_mean", "z_log_var")
CODES = {"VAE": DISTRIBUTION, "IWAE": DISTRIBUTION, "TextVAE": DISTRIBUTION, "Autoencoder": ("z",)}
WIDTH = 100                     # of a script's lines
COLUMN = 64                     # of comments, if the code leaves room

COMPARISON = '''

def compare():
    """Print how far the results are from those of scratchvae, for the examples beside this file."""
    examples = np.load(HERE / "examples.npz")
    equal = True
    for name, result in results(examples).items():
        expected = examples[name]
        difference = np.abs(result - expected).max()
        largest = np.abs(expected).max()
        equal = equal and difference <= 1e-4 * max(1, largest)     # float32, in deep networks
        print(f"{name:<16}largest difference {difference:.1e}, of numbers up to {largest:.3g}")
    return equal
'''


def code(value):
    """Return a value as code, with double quotes, and without the error of 1 - 0.8."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"({', '.join(map(code, value))}{',' * (len(value) == 1)})"
    return repr(round(value, 12)) if isinstance(value, float) else repr(value)


def commented(lines, indent=4):
    """Return lines of code with their comments in one column, where the code leaves room.

    Parameters
    ----------
    lines : list of (str, str)
        Code, and its comment or "".
    indent : int
    """
    column = max((len(line) for line, comment in lines if comment and len(line) <= COLUMN),
                 default=0)
    text = []
    for line, comment in lines:
        joined = f"{line:<{column}}  # {comment}" if comment else line
        if len(joined) + indent > WIDTH:
            text.append(f"# to {comment}:")
            joined = line
        text.append(joined)
    return "\n".join(" " * indent + line for line in text)
