"""The page's JavaScript files, and what they can compute."""
import re
from pathlib import Path

ASSETS = Path(__file__).parent / "assets"
SHARED_SCRIPTS = ("page.js", "payload.js", "numbers.js", "products.js", "activations.js",
                  "layers.js", "sliders.js")


def registered(registry, scripts):
    """Return the names that scripts register in a JavaScript object.

    A script registers names where it creates the object, `const LAYERS = {Dense, Conv2D};`, or
    later, `Object.assign(LAYERS, {Flatten: Identity});`.  As the names are read from the scripts,
    a layer that is written in JavaScript is known here, too.

    Parameters
    ----------
    registry : {"LAYERS", "ACTIVATIONS"}
        The JavaScript object, whose keys are the names in Python.
    scripts : list of str
        File names in the folder of assets.

    Returns
    -------
    set of str
    """
    creation = rf"const {registry} = \{{(.*?)\}}"
    addition = rf"Object\.assign\({registry}, \{{(.*?)\}}"
    names = set()
    for script in scripts:
        source = (ASSETS / script).read_text(encoding="utf-8")
        for entries in re.findall(creation, source, re.S) + re.findall(addition, source, re.S):
            names |= {entry.partition(":")[0].strip() for entry in entries.split(",")}
    return names - {""}
