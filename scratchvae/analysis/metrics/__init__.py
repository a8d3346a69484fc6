"""Measures: of generated text, of latent codes, and of scores that tell two kinds apart."""
from .codes import active_units, importance_weighted, kl_of_dimensions, mutual_information
from .detection import roc_area, roc_curve
from .text import CopiedRun, bleu, distinct, longest_copied_run, perplexity, self_bleu
