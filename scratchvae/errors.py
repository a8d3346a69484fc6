"""The one exception that means: what you asked for can't be done, and here is why, in one line."""


class ScratchVAEError(Exception):
    """A wrong value, shape or file, named, with what is allowed.  The command line prints it without a traceback."""
