"""A backend in a folder of the user's own: files as in reference/, with some of its functions.

    def dense_forward(x, kernel, bias, y, activation, scratch):         # my_kernels/dense.py
        y[...] = ...

`load("my_kernels")` returns a backend that takes these functions and has all others from the
reference. A function whose body is only `raise NotImplementedError` counts as not yet written.
The files are a package: `from .activations import activation_forward` takes the user's function,
or the reference's as long as it is not written.
"""
import ast
import hashlib
import importlib
import inspect
import os
import sys
import traceback
from functools import wraps
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

from . import reference
from .backend import operations
from .errors import ScratchVAEError
from .operation import implements

PREFIX = "scratchvae_kernels_"  # of the names of packages
FEW = 5                         # operations that a description names
FILES = sorted({f"{operation.__module__.rpartition('.')[2]}.py"
                for operation in operations(reference).values()})


def load_folder(folder):
    """Return the backend in a folder; its files are read again whenever they have changed.

    The module has, besides what every backend has, `folder`, a Path, and `written`, the names of
    the operations that are the user's.

    Parameters
    ----------
    folder : path

    Raises
    ------
    ScratchVAEError
        If the folder has no file of kernels, a file cannot be imported, or a function has other
        arguments than the reference's.
    """
    folder = Path(folder).resolve()
    files = [folder / name for name in FILES if (folder / name).is_file()]
    if not files:
        raise ScratchVAEError(f"{folder}: holds no kernels; expected files such as {FILES[0]} or "
                              f"{FILES[-1]} (scratchvae learn DIR makes them)")
    digest = hashlib.sha256(str(folder).encode())
    for file in sorted(folder.glob("*.py")):
        digest.update(file.name.encode() + file.read_bytes())
    name = f"{PREFIX}{digest.hexdigest()[:16]}"
    if name not in sys.modules:
        try:
            make_backend(name, folder, files)
        except ScratchVAEError:
            for module in [module for module in sys.modules if module.split(".")[0] == name]:
                del sys.modules[module]
            raise
    return sys.modules[name]


def make_backend(name, folder, files):
    """Import the files as a package of this name that is a backend."""
    backend = sys.modules[name] = ModuleType(name, f"The kernels in {folder}.")
    vars(backend).update({member: value for member, value in vars(reference).items()
                          if not member.startswith("__")})
    backend.__path__ = [str(folder)]
    for file in FILES:                  # `from .activations import ...` where there is no such file
        if not (folder / file).is_file():
            stem = Path(file).stem
            sys.modules[f"{name}.{stem}"] = sys.modules[f"{reference.__name__}.{stem}"]
    modules = [import_file(name, file) for file in files]
    own = own_operations(modules, backend)
    backend.folder = folder
    backend.written = tuple(own)
    backend.NAME = str(folder)
    backend.describe = lambda: describe(folder, own)


class Uncached(SourceFileLoader):
    """Reads a file's source each time: compiled files hide changes made within a second."""

    def get_code(self, fullname):
        """Return the compiled source."""
        return self.source_to_code(self.get_data(self.path), self.path)


class Finder:
    """Finds the files of users' folders, for the import statement."""

    @staticmethod
    def find_spec(fullname, path, target=None):
        """Return the spec of a module of a user's folder, None for all others."""
        package, _, stem = fullname.rpartition(".")
        if not package.startswith(PREFIX) or not path:
            return None
        file = Path(path[0]) / f"{stem}.py"
        return spec_from_file_location(fullname, file, loader=Uncached(fullname, str(file))) if (
            file.is_file()) else None


sys.meta_path.insert(0, Finder)


def describe(folder, own):
    """Return one line: what computes."""
    count = len(operations(reference))
    if len(own) <= FEW:
        which = ", ".join(own) or "no operation"
        return f"{which} from {folder}, all others from the reference"
    return f"{len(own)} of {count} operations from {folder}, the others from the reference"


def import_file(package, file):
    """Return the module of a file of the package."""
    try:
        return importlib.import_module(f"{package}.{file.stem}")
    except Exception as error:
        raise ScratchVAEError(f"{place_of(error, file)}: {described(error)}") from error


def own_operations(modules, backend):
    """Put the functions of the modules into the backend, and return the operations by name.

    Each name in the modules then means the checked operation: the user's, or the reference's
    where the user's is not written.
    """
    own = {}
    meant = {}                          # function as it stands in a file -> operation
    for module in modules:
        stem = module.__name__.rpartition(".")[2]
        for name, operation in operations_of_file(stem).items():
            function = vars(module).get(name)
            if inspect.isfunction(function):
                meant[function] = operation
                if is_written(function):
                    meant[function] = own[name] = as_operation(function, operation, module.__file__)
        for name, member in vars(module).items():
            if name.endswith("_scratch") and member.__module__ == module.__name__:
                setattr(backend, name, member)
    vars(backend).update(own)
    for module in modules:
        for name, value in list(vars(module).items()):
            if inspect.isfunction(value) and value in meant:
                setattr(module, name, meant[value])
    return {name: own[name] for name in operations(reference) if name in own}


def operations_of_file(stem):
    """Return the operations of the reference's file of this name: name -> function."""
    return {name: operation for name, operation in operations(reference).items()
            if operation.__module__.rpartition(".")[2] == stem}


def use_reference(backend, name):
    """Let a user's backend, and the other functions of its files, use the reference's operation."""
    operation = getattr(reference, name)
    mine = getattr(backend, name)
    package = [module for key, module in sys.modules.items()
               if key.split(".")[0] == backend.__name__]
    for module in package:
        for member, value in list(vars(module).items()):
            if value is mine:
                setattr(module, member, operation)


def is_written(function):
    """Return whether a function does more than to raise NotImplementedError."""
    tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(function))).body[0]
    body = [line for line in tree.body
            if not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))]
    empty = not body or isinstance(body[0], ast.Pass) and len(body) == 1
    return not empty and not (isinstance(body[0], ast.Raise)
                              and "NotImplementedError" in ast.dump(body[0]))


def as_operation(function, operation, file):
    """Return a user's function as an operation, whose errors name their place."""
    @wraps(function)
    def call(*arguments):
        try:
            return function(*arguments)
        except ScratchVAEError:
            raise
        except Exception as error:
            raise ScratchVAEError(f"{place_of(error, file)}, in {function.__name__}: "
                                  f"{described(error)}") from error
    try:
        return implements(operation)(call)
    except TypeError:
        raise ScratchVAEError(
            f"{file}, line {function.__code__.co_firstlineno}: "
            f"{function.__name__}{inspect.signature(function)} has other arguments than "
            f"the reference's {inspect.signature(operation)}") from None


def place_of(error, file):
    """Return the file and line of the user's folder where an exception was raised, as text."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    folder = os.path.dirname(file)
    lines = [frame for frame in traceback.extract_tb(error.__traceback__)
             if os.path.dirname(frame.filename) == folder]
    return f"{lines[-1].filename}, line {lines[-1].lineno}" if lines else str(file)


def described(error):
    """Return an exception in one line."""
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg}"
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
