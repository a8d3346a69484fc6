"""Commands that the program prints, in a form that can be pasted into a shell."""
import shlex


def command(*words):
    """Return a command line of this program as text.

    Parameters
    ----------
    *words
        Anything that str makes a word. Blanks, quotes and $ in them are quoted.
    """
    return shlex.join(["scratchvae", *map(str, words)])


def place(path):
    """Return a path as a word of a command: one that begins with a dash would be an option."""
    path = str(path)
    return f"./{path}" if path.startswith("-") else path
