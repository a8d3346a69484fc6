"""How well a code keeps known factors apart: five measures of disentanglement.

mig.py           the gap of mutual information        Chen et al. 2018
sap.py           the gap of what one dimension tells  Kumar et al. 2018
dci.py           three measures of importances        Eastwood & Williams 2018
beta_vae.py      which factor do pairs share?         Higgins et al. 2017
factor_vae.py    which factor is fixed?               Kim & Mnih 2018

All take the codes (N, J) of N examples, the means of their posteriors for a VAE, and their factors
(N, K), the values counted from 0. They mean different things by "apart", and none of them says that
a model is good: look at several, over several seeds, beside the reconstruction (Locatello et al.
2019, "Challenging common assumptions in the unsupervised learning of disentangled
representations").
"""
import importlib.util

from ...data.shapes import CATEGORICAL, FACTORS, known_factors
from .beta_vae import beta_vae_score
from .dci import DCI, dci
from .factor_vae import factor_vae_score
from .mig import factor_information, mig
from .sap import sap

MEANINGS = {                    # how to read each measure
    "mig": "MIG: a factor's information in one dimension beyond the next; from 0, up to 1",
    "sap": "SAP: how much better one dimension tells a factor than the next; from 0, up to 1",
    "dci_disentanglement": "DCI: 1 if each dimension is about one factor; 0 if about all alike",
    "dci_completeness": "DCI: 1 if each factor is in one dimension; 0 if in all alike",
    "dci_informativeness": "DCI: how well the code tells the factors; 1 is perfectly",
    "beta_vae": "beta-VAE: does the code say which factor pairs share? chance 0.2, up to 1",
    "factor_vae": "FactorVAE: is the steadiest dimension the fixed factor's? chance 0.2, up to 1",
}


def evaluate(model, x, seed=0):
    """Return all measures of disentanglement of a model's codes of shapes.

    Parameters
    ----------
    model : VAE, Autoencoder, or function (Images) -> (N, J) codes
        Of a VAE the codes are the means of the posteriors.
    x : Images of load_shapes
        Some 10,000, chosen at random: an epoch's test set, for example.
    seed : int, default 0
        Draws what the measures draw.

    Returns
    -------
    dict of str -> float
        With the names of MEANINGS. Those of DCI are left out if scikit-learn is not installed.

    Raises
    ------
    ScratchVAEError
        If x are no images of shapes.
    """
    values = known_factors(x)
    codes = model.encode(x) if hasattr(model, "encode") else model(x)
    codes = codes[0] if isinstance(codes, tuple) else codes
    categorical = [name in CATEGORICAL for name in FACTORS]
    result = {"mig": mig(codes, values), "sap": sap(codes, values, categorical)}
    if importlib.util.find_spec("sklearn"):
        parts = dci(codes, values, categorical, seed)._asdict()
        result |= {f"dci_{name}": value for name, value in parts.items()}
    return result | {"beta_vae": beta_vae_score(codes, values, seed),
                     "factor_vae": factor_vae_score(codes, values, seed)}
