"""Preparation of text for a model: cleaning, tokens, indices, padding; and the way back to text."""
from .clean import clean, lines, speeches
from .detokenize import detokenize
from .nltk_tokens import keep_tokens
from .sequences import pad_sequences, split
from .tokenize import tokenize
from .vocabulary import END, LINE_SPECIALS, PADDING, UNKNOWN, Vocabulary
