"""The JavaScript files that every page includes."""
from pathlib import Path

ASSETS = Path(__file__).parent / "assets"
SHARED_SCRIPTS = ("page.js", "payload.js", "numbers.js", "products.js", "activations.js",
                  "layers.js", "sliders.js")
