"""The mistakes that can be planted, by name."""
from . import images, layers, losses, optimizers, sequences

MISTAKES = {mistake.name: mistake for part in (losses, layers, images, sequences, optimizers)
            for mistake in part.MISTAKES}
