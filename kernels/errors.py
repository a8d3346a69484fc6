"""The one exception of this library."""


class ScratchVAEError(ValueError):
    """A wrong value, shape, dtype or file.

    The message is one line. It says what is wrong, what was given, and what is allowed.
    """
