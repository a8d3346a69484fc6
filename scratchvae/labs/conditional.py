"""The setting that tells a VAE of images the class of each: --set conditional=1."""
from .. import checks
from ..errors import ScratchVAEError
from ..models import VAE, ConditionalVAE

CONDITIONAL = {"conditional": 0}


def make_vae(settings, **arguments):
    """Return a VAE, or with the setting "classes" a ConditionalVAE of so many classes.

    Parameters
    ----------
    settings : dict
        Those of the lab's model. A run whose setting "conditional" is 1 adds "classes".
    **arguments
        Those of the VAE.
    """
    value = checks.integer("setting", "conditional", settings.get("conditional", 0), 0)
    if value > 1:
        raise ScratchVAEError(f"setting conditional: must be 0 or 1, got {value}")
    if "classes" in settings:
        return ConditionalVAE(classes=settings["classes"], **arguments)
    return VAE(**arguments)
