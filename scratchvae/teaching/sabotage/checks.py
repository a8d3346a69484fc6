"""The checks that catch mistakes.

They are finite differences, numbers from outside (Keras's, and definitions), and a comparison with
another backend on many calls. The last two are the judge's (scratchvae.teaching.judge).
"""
import numpy as np

from ... import kernels, labs
from ...gradcheck.check import TOLERANCE, check_layer, check_model
from ...layers import Dense, Embedding, RepeatVector, Reshape
from ...models import VAE, Autoencoder, Sequential
from ..judge.coverage import outcome
from ..judge.golden import all_golden
from ..judge.operations import judge
from .plant import SOURCE, Ground, Verdict

GOLDEN = "golden group"                     # what the checks of the judge are called
BESIDE = "beside another backend"


def layer(make, input_shape):
    """Return a check of a layer's gradients by finite differences.

    Parameters
    ----------
    make : function
        make() returns the layer or Sequential, not built.
    input_shape : tuple of int

    Returns
    -------
    function
        check() -> Verdict.
    """
    def check():
        made = make()
        for member in made.layers.values() if isinstance(made, Sequential) else [made]:
            member.backend = Ground.backend
        return worst(check_layer(made, input_shape))
    return check


def small_vae(reconstruction="binary_crossentropy"):
    """Return a check of the gradients of a small VAE's whole loss, by finite differences.

    reconstruction: the loss's name.
    """
    def check():
        encoder = [Dense(6, "tanh")]
        decoder = [Dense(5, "tanh"), Dense(12, "sigmoid")]
        return whole_loss(VAE(encoder, 3, decoder, reconstruction, 12.0, kl_weight=0.7,
                              backend=Ground.backend), (12,))
    return check


vae = small_vae()


def words():
    """Return the Verdict on an autoencoder of lines of four words, by finite differences."""
    encoder = [Embedding(5, 2), Reshape(8), Dense(3, "tanh")]
    decoder = [RepeatVector(4), Dense(5, "softmax")]
    return whole_loss(Autoencoder(encoder, decoder, "sparse_categorical_crossentropy", 4.0,
                                  backend=Ground.backend), (4,))


def lab(name):
    """Return a check of the gradients of a lab's small model, by finite differences."""
    def check():
        return worst(check_model(labs.LABS[name].make_small_model(Ground.backend)))
    return check


def whole_loss(model, input_shape):
    """Return the Verdict on the gradients of a model's whole loss."""
    model.build(input_shape)
    return worst(check_model(model))


def worst(report):
    """Return the Verdict of a gradcheck.Report, with its largest error."""
    row = max(report.rows, key=lambda row: row.error)
    return Verdict(report.passed, f"gradient of {row.parameter}: relative error {row.error:.1e}, "
                                  f"allowed {TOLERANCE:g}")


def golden_group(name):
    """Return a check of the numbers of a group: those of Keras, or those of a definition.

    name: of the group, as scratchvae.teaching.judge.golden names it.
    """
    def check():
        (golden,) = (golden for golden in all_golden() if golden.name == name)
        with np.errstate(all="ignore"):
            passed, difference = outcome(golden, Ground.backend)
        right = "all numbers as Keras" if golden.source == "Keras" else golden.source
        return Verdict(passed, f"{name}: {difference or right}")
    return check


def beside_another(operation):
    """Return a check of an operation that compares it with another backend's on many calls.

    operation: its name.
    """
    def check():
        trusted = "cpu" if Ground.backend == SOURCE else SOURCE
        judgement = judge(kernels.load(Ground.backend), kernels.load(trusted), operation)
        if judgement.passed:
            return Verdict(True, f"{operation}: {' and '.join(judgement.proofs)}")
        finding = judgement.findings[0]
        says = f"{finding.says}: {finding.worst}" if finding.worst else finding.says
        where = f", {judgement.only}" if judgement.only else ""
        return Verdict(False, f"{operation}: {says}{where}")
    return check
