"""The configuration of a run: what config.json holds."""
import importlib.metadata
import json
import platform
import re
import zlib
from pathlib import Path

import numpy as np

from .. import __version__, checks, kernels, labs
from ..errors import ScratchVAEError

NONE = type(None)
TYPES = {                       # of the values in config.json
    "lab": (str,),
    "settings": (dict,),
    "epochs": (int,),
    "batch_size": (int,),
    "limit": (int, NONE),
    "seed": (int,),
    "backend": (str,),
    "data_dir": (str, NONE),
    "data": (str, NONE),
    "complete": (bool, NONE),
    "versions": (dict,),
}
OPTIONAL = {"text": (str, NONE), "from": (str, NONE), "text_sha256": (str, NONE),
            "data_sha256": (str, NONE), "computed_by": (str, NONE), "steps": (int, NONE),
            "best_epoch": (int, NONE), "stopped_epoch": (int, NONE), "images": (str, NONE),
            "size": (list, NONE), "grey": (bool, NONE), "shape": (list, NONE),
            "classes": (list, NONE), "imported": (str, NONE), "csv": (str, NONE),
            "drop": (list, NONE), "categorical": (list, NONE), "columns": (list, NONE),
            "shards": (int, NONE)}
PATHS = ("data_dir", "text", "images", "csv", "from")
RENAMED = {"clipnorm": "global_clipnorm"}       # settings of older runs
LEAST = {"epochs": 1, "batch_size": 1, "limit": 1, "seed": 0}


def new_config(lab, settings=None, **options):
    """Return the configuration of a new run.

    Parameters
    ----------
    lab : Lab
    settings : dict, optional
        The settings of the lab's model and optimizer; defaults to the lab's own.
    **options
        epochs, batch_size : int
            Default to the lab's own.
        limit : int
            Use only the first examples, this many; by default all of them.
        seed : int, default 0
        shards : int, default 1
            The parts of a batch, see scratchvae.shards.
        backend : {"cpu", "reference", "cuda"} or path, default "cpu"
            A path is a folder with kernels of one's own.
        data_dir : path
            Where the data are, if not in the usual places.
        text : path
            A text file to use instead of the lab's data.
        images : path
            Images of one's own to use instead of the lab's data: see scratchvae.data.own.
        size : (int, int)
            The height and width to which they are cut and resized.
        grey : bool
            Whether they are converted to grey.
        csv : path
            A table of one's own to use instead of the lab's: see scratchvae.data.tables.
        drop, categorical : list of str
            Its columns to leave out, and those of numbers that are categories.
        from : path
            The directory of another run of the lab, with whose weights training begins.

        An option that is None has its default.

    Returns
    -------
    dict
        "data" and "complete" are None until the data are loaded.

    Raises
    ------
    ScratchVAEError
        If an option is unknown.
    """
    chosen = {"epochs": lab.epochs, "batch_size": lab.batch_size, "limit": None, "seed": 0,
              "shards": 1, "backend": "cpu", "data_dir": None, "text": None, "from": None,
              "images": None, "size": None, "grey": None, "csv": None, "drop": None,
              "categorical": None}
    for name, value in options.items():
        if name not in chosen:
            raise ScratchVAEError(f"new_config: unknown option {name!r}; "
                                  f"allowed: {', '.join(chosen)}")
        if value is not None:
            chosen[name] = value
    for name in PATHS:
        if chosen[name]:
            chosen[name] = str(Path(chosen[name]).resolve())
    chosen["backend"] = kernels.canonical(chosen["backend"])
    return {"lab": lab.name, "settings": dict(settings or lab.settings), **chosen,
            "data": None, "complete": None, "versions": versions()}


def run_name(lab_name, config):
    """Return the name of a run's directory: LAB, or LAB-NAME of images or a table of one's own.

    Parameters
    ----------
    lab_name : str
    config : dict

    Returns
    -------
    str
    """
    own = config.get("images") or config.get("csv")
    if not own:
        return lab_name
    name = Path(own).name.split(".")[0]
    return f"{lab_name}-{re.sub('[^a-zA-Z0-9_-]+', '-', name)}"


def versions():
    """Return what the bits of a run depend on beside its configuration, as text by name."""
    from llvmlite import binding  # takes long to import
    return {"scratchvae": __version__, "python": platform.python_version(),
            "numpy": np.__version__, "numba": importlib.metadata.version("numba"),
            "llvm": ".".join(map(str, binding.llvm_version_info)),
            "processor": f"{platform.machine()}, {binding.get_host_cpu_name()}"}


def processor_features():
    """Return a checksum of the processor's features: by them Numba chooses its instructions."""
    from llvmlite import binding
    return f"{zlib.crc32(binding.get_host_cpu_features().flatten().encode()):08x}"


def check_config(config):
    """Refuse the content of a config.json whose keys or types are wrong.

    Raises
    ------
    ScratchVAEError
    """
    missing = set(TYPES) - set(config if isinstance(config, dict) else ())
    if missing:
        raise ScratchVAEError(f"missing: {', '.join(sorted(missing))}")
    for name, kinds in (TYPES | OPTIONAL).items():
        value = config.get(name)
        if type(value) not in kinds:
            allowed = " or ".join("null" if kind is NONE else kind.__name__ for kind in kinds)
            raise ScratchVAEError(f"{name} must be {allowed}, got {value!r}")
    for name, least in LEAST.items():
        if config[name] is not None and config[name] < least:
            raise ScratchVAEError(f"{name} must be at least {least}, got {config[name]}")
    lab = labs.get(config["lab"])
    settings = config["settings"]
    for old, new in RENAMED.items():
        if old in settings:
            settings[new] = settings.pop(old)
    for name, default in lab.defaults.items():
        if name not in lab.settings and name not in settings:
            continue                    # a common one: it has its default
        if type(settings.get(name)) not in (type(default), int):
            raise ScratchVAEError(f"setting {name} must be {type(default).__name__}, "
                                  f"got {settings.get(name)!r}")
    if not Path(config["backend"]).is_absolute():           # a folder, which may have moved
        checks.choice("config", "backend", config["backend"], kernels.BACKENDS)


def read_config(folder, data_dir=None, text=None, images=None, csv=None):
    """Return the configuration of the run in a directory.

    Parameters
    ----------
    folder : path
    data_dir : path, optional
        Where its data are now; replaces the directory that config.json names.
    text : path, optional
        Where its text is now; replaces the file that config.json names.
    images : path, optional
        Where the images of one's own are now; replaces the path that config.json names.
    csv : path, optional
        Where the table is now, or another table; replaces the path that config.json names.

    Returns
    -------
    dict

    Raises
    ------
    ScratchVAEError
        If config.json is missing or damaged, or the run was trained on a text file, or on images
        or a table of one's own: then data_dir has no meaning.
    """
    path = Path(folder) / "config.json"
    if not path.is_file():
        raise ScratchVAEError(f"{folder}: not a run directory (config.json is missing)")
    try:
        config = json.loads(path.read_text())
        check_config(config)
    except ValueError as error:
        raise ScratchVAEError(f"{path}: damaged ({error})") from None
    may_change = "csv" if labs.get(config["lab"]).kind == "tables" else ""
    for name, given, what, which in (("text", text, "a text file", "the file"),
                                     ("images", images, "images of your own", "your own images"),
                                     ("csv", csv, "a table", "the table")):
        if data_dir and config.get(name):
            raise ScratchVAEError(f"{folder}: was trained on {which} {config[name]}, read from "
                                  f"there; if the place has moved, name it with --{name}")
        if given and not config.get(name) and name != may_change:
            raise ScratchVAEError(f"{folder}: was not trained on {what}; leave out --{name}")
        if given:
            config[name] = str(Path(given).resolve())
    if data_dir:
        config["data_dir"] = str(Path(data_dir).resolve())
    return config
