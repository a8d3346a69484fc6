"""Imports Matplotlib whatever window system a notebook or the user has chosen in MPLBACKEND.

Figures are drawn without a window. But Matplotlib cannot even be imported under the name of a
backend that it lacks. One that it knows is set afterwards, for the user's own figures.
"""
import contextlib
import os

_chosen = os.environ.pop("MPLBACKEND", None)
try:
    import matplotlib
finally:
    if _chosen is not None:
        os.environ["MPLBACKEND"] = _chosen
if _chosen is not None:
    with contextlib.suppress(ValueError):
        matplotlib.rcParams["backend"] = _chosen
