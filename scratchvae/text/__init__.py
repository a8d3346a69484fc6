"""Preparation of text for a model: cleaning, tokens, indices, padding; and the way back to text."""
from .clean import clean, lines, speeches
from .detokenize import detokenize
from .sequences import pad_sequences, split
from .tokenize import keep_tokens, tokenize
from .vocabulary import END, LINE_SPECIALS, PADDING, UNKNOWN, Vocabulary
