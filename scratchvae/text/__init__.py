"""Text on its way into a model and back:

cleaned, in words, as indices, padded; and words as text again.
"""

from .clean import clean, lines, speeches
from .detokenize import detokenize
from .sequences import pad_sequences, split
from .tokenize import tokenize
from .vocabulary import END, LINE_SPECIALS, PADDING, UNKNOWN, Vocabulary
