"""From what one sees in training to what to check first."""
from typing import NamedTuple

from rich.table import Table

from ...errors import ScratchVAEError
from .table import console


class Symptom(NamedTuple):
    """Something that goes wrong in training.

    Attributes
    ----------
    seen : str
        What one sees.
    causes : str
        What it often is.
    first : str
        What to check first, as a command or a place.
    """
    seen: str
    causes: str
    first: str


SYMPTOMS = (
    Symptom("the validation loss is far off the training loss, from the first epoch",
            "inference differs from training: moving averages updated the wrong way round, or "
            "with another momentum; dropout not scaled by 1/(1 - rate), or active in inference",
            "check DIR/batchnorm.py, check DIR/dropout.py"),
    Symptom("the loss falls much too slowly, or as with a tiny learning rate",
            "a mean where a sum belongs (a second 1/N); Adam without its bias correction, or "
            "with a step that stays 0; gradients of one layer zero",
            "check DIR/optimizers.py, then DIR/losses.py; trace LAB: the sizes of updates"),
    Symptom("the loss explodes in the first steps",
            "the factor 1/N of the loss's gradient missing; a sign; gradients that add up from "
            "step to step",
            "check DIR/losses.py; check DIR: 'it adds to what the array held before'"),
    Symptom("all gradients are off by one factor",
            "the loss: 1/N, 1/D or scale; everything behind it follows",
            "check DIR/losses.py: the factor is named there"),
    Symptom("the gradients of one layer and of all layers before it are wrong",
            "its dx, or its activation's derivative",
            "check DIR/dense.py (or the layer's file), check DIR/activations.py"),
    Symptom("only a bias is wrong",
            "a mean for a sum, or a sum over one axis too few",
            "check DIR/dense.py, check DIR/conv2d.py"),
    Symptom("samples are too spread or too narrow, reconstructions are blurred",
            "exp(z_log_var) instead of exp(z_log_var / 2); a KL weight that is off by N",
            "check DIR/reparameterize.py"),
    Symptom("the KL divergence goes to 0, all reconstructions are alike",
            "the KL gradient too large (not divided by N), its sign; or a loss that is a mean "
            "beside a summed KL",
            "check DIR/reparameterize.py; reconstruction_scale"),
    Symptom("the KL divergence grows without bound",
            "the sign of the KL gradient, or a KL gradient that was set instead of added",
            "check DIR/reparameterize.py"),
    Symptom("not a number after some steps",
            "exp or log without care: sigmoid, softmax and cross-entropy of large numbers; a "
            "square root of a variance without epsilon",
            "check DIR/activations.py, check DIR/losses.py: 'only with large numbers'"),
    Symptom("images are shifted by a pixel, or have a frame",
            "the padding of an even window on the wrong side; the border cut off wrongly",
            "check DIR/conv2d.py, check DIR/conv2d_transpose.py: 'shifted by one place'"),
    Symptom("a checkerboard in generated images",
            "contributions of overlapping windows overwritten instead of added",
            "check DIR/conv2d_transpose.py"),
    Symptom("one word for ever, whatever z is",
            "words shifted by no step or by two (the decoder sees the word that it must guess); "
            "a state that is not carried on; the mask ignored",
            "check DIR/sequences.py, check DIR/gru.py"),
    Symptom("rare words never learn, or frequent ones learn too slowly",
            "gradients of equal words overwritten instead of added",
            "check DIR/embedding.py"),
    Symptom("right in float64, wrong or noisy in float32",
            "a difference of large numbers (E[x^2] - mean^2), or an exponential that overflows",
            "check DIR: 'only in float32'"),
    Symptom("right with a batch of 100, wrong with the last, smaller batch or with one example",
            "a size taken from the scratch or from set-up instead of from x",
            "check DIR: 'only with one of each'"),
    Symptom("the same seed gives other numbers, or other results with more threads",
            "a kernel that reads what an array held before, or adds in another order",
            "check DIR: 'a second call ... gives other numbers'"),
    Symptom("loaded weights of another framework give other results, but training works",
            "another convention: order of gates, a rotated convolution window, epsilon",
            "check DIR: comparisons with Keras"),
)


def print_symptoms(search=None):
    """Print the table of symptoms.

    Parameters
    ----------
    search : str, optional
        Only symptoms and causes in which this word occurs.

    Raises
    ------
    ScratchVAEError
        If the word occurs in none.
    """
    chosen = [symptom for symptom in SYMPTOMS
              if not search or search.lower() in " ".join(symptom).lower()]
    if not chosen:
        raise ScratchVAEError(f"no symptom mentions {search!r}; without a word all are shown")
    table = Table("what one sees", "what it often is", "check first", show_lines=True)
    for symptom in chosen:
        table.add_row(*symptom)
    console().print(table)
