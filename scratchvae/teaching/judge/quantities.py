"""The quantities of each derivation that are no argument of the operation: x^, sigma, keep, gates.

What a wrong gradient lacks is often one of them.
"""
import numpy as np

from ... import kernels
from .terms import Term, letters_of


def batchnorm(arrays, options):
    """x^ and s of a batch whose mean and variance are given, or its own."""
    x = arrays["x"]
    mean = arrays.get("mean", x.mean(axis=0))
    variance = arrays.get("variance", x.var(axis=0))
    s = 1 / np.sqrt(variance + options["epsilon"])
    x_hat = (x - mean) * s
    found = {"x^": ("NC", x_hat), "s": ("C", s), "gamma s": ("C", arrays["gamma"] * s),
             "(x - mean)": ("NC", x - mean)}
    if "dout" in arrays:
        found |= {"(mean of dout)": ("C", arrays["dout"].mean(axis=0)),
                  "(mean of dout x^)": ("C", (arrays["dout"] * x_hat).mean(axis=0))}
    return found


def layernorm(arrays, options):
    """x^ and s of each row."""
    x = arrays["x"]
    s = 1 / np.sqrt(x.var(axis=1) + options["epsilon"])
    x_hat = (x - x.mean(axis=1, keepdims=True)) * s[:, np.newaxis]
    found = {"x^": ("NC", x_hat), "s": ("N", s)}
    if "dout" in arrays:
        dx_hat = arrays["gamma"] * arrays["dout"]
        found |= {"dx^": ("NC", dx_hat), "(mean of dx^)": ("N", dx_hat.mean(axis=1)),
                  "(mean of dx^ x^)": ("N", (dx_hat * x_hat).mean(axis=1))}
    return found


def dropout(arrays, options):
    """keep: 1 where the noise is not below the rate."""
    return {"keep": ("*", (arrays["noise"] >= options["rate"]) * 1.0)}


def latent(arrays, options):
    """sigma and sigma^2."""
    z_log_var = arrays["z_log_var"]
    return {"sigma": ("NJ", np.exp(z_log_var / 2)), "sigma^2": ("NJ", np.exp(z_log_var))}


def logits(arrays, options):
    """Probabilities of the logits."""
    if "logits" not in arrays:
        return {}
    letters = "NTV" if arrays["logits"].ndim == 3 else "NV" if "targets" in arrays else "ND"
    x = arrays["logits"]
    p = np.exp(x - x.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    sigmoid = 1 / (1 + np.exp(-x))
    found = {"softmax": (letters, p), "sigmoid": (letters, sigmoid)}
    if "targets" in arrays:
        onehot = np.arange(x.shape[-1]) == arrays["targets"][..., np.newaxis]
        found["one-hot target"] = (letters, onehot * 1.0)
    return found


def gru(arrays, options, known):
    """The gates, the candidate, the state before, and what the state contributes."""
    z, r = np.split(known.gates, 2, axis=2)
    q = known.recurrent[..., 2 * z.shape[2]:]
    return {"z": ("NTU", z), "r": ("NTU", r), "c": ("NTU", known.candidate),
            "h'": ("NTU", known.previous), "q_c": ("NTU", q)}


def lstm(arrays, options, known):
    """The gates, the candidate, the state and the cell before, and tanh(c)."""
    i, f, g, o = np.split(known.gates, 4, axis=2)
    return {"i": ("NTU", i), "f": ("NTU", f), "g": ("NTU", g), "o": ("NTU", o),
            "h'": ("NTU", known.state), "c'": ("NTU", known.cell),
            "tanh(c)": ("NTU", known.squashed)}


FAMILIES = {
    "batchnorm": batchnorm,
    "layernorm": layernorm,
    "dropout": dropout,
    "reparameterize": latent,
    "gaussian_kl": latent,
    "binary_crossentropy": logits,
    "squared_error": logits,
    "sparse_categorical_crossentropy": logits,
    "onehot_binary_crossentropy": logits,
}
RECURRENT = {"gru": gru, "lstm": lstm}
PARTS = {"gru": ("z", "r", "c"), "lstm": ("i", "f", "g", "o")}      # of the axis 3U or 4U


def quantities(declaration, arrays, options):
    """Return the Terms of an operation's derivation.

    Parameters
    ----------
    declaration : Declaration
    arrays : dict of name -> array
        The arguments, and for a recurrent backward pass those of the forward pass, too.
    options : dict of name -> value
    """
    family = declaration.family
    if family in RECURRENT:
        found = RECURRENT[family](arrays, options, recurrent_steps(declaration, arrays, options))
    elif family in FAMILIES and declaration.name != "batchnorm_update":
        found = FAMILIES[family](arrays, options)
    else:
        return []
    terms = []
    for name, (letters, array) in found.items():
        if letters == "*":
            letters = letters_of(next(iter(declaration.arrays.values())), array)
        terms.append(Term(name, tuple(letters), np.asarray(array, np.float64)))
    return terms


def recurrent_steps(declaration, arrays, options):
    """Return what the reference's forward pass leaves for its backward pass."""
    reference = kernels.load("reference")
    forward = getattr(reference, f"{declaration.family}_forward")
    make = getattr(reference, f"{declaration.family}_scratch")
    N, T, parts = arrays["a"].shape
    scratch = make(N, T, parts // len(PARTS[declaration.family]), np.float64)
    names = [*forward.declaration.arrays]
    given = [np.ascontiguousarray(arrays[name], None if arrays[name].dtype == np.int32
                                  else np.float64) for name in names[:-1]]
    forward(*given, np.empty((N, T, parts // len(PARTS[declaration.family]))),
            options["go_backwards"], scratch)
    return scratch
