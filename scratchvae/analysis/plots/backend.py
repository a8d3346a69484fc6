"""Imports Matplotlib whatever window system a notebook or the user has chosen in MPLBACKEND.

Figures are drawn without a window. But Matplotlib cannot even be imported under the name of a
backend that it lacks.
"""
import os

_chosen = os.environ.pop("MPLBACKEND", None)
try:
    import matplotlib  # noqa: F401
finally:
    if _chosen is not None:
        os.environ["MPLBACKEND"] = _chosen
