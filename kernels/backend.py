"""A backend is a package: it exports the operations that its files define."""
import importlib
import inspect
import pkgutil

from .operation import is_operation


def export(package, otherwise=None):
    """Import all files of a backend and put their operations into the package's namespace.

    With an operation that takes work space goes the function of its file that makes it.

    Parameters
    ----------
    package : module
        The package of the backend, whose __init__ calls this.
    otherwise : module, optional
        A backend on arrays of the same kind, whose operations fill the gaps.
    """
    if otherwise:
        for name, member in operations(otherwise).items():
            setattr(package, name, member)
            if member.declaration.has_scratch:
                maker = f"{member.declaration.family}_scratch"
                setattr(package, maker, getattr(otherwise, maker))
    for file in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{file.name}")
        for name, member in list(vars(module).items()):
            if is_operation(member) and member.__module__ == module.__name__:
                setattr(package, name, member)
                if member.declaration.has_scratch:
                    maker = f"{member.declaration.family}_scratch"
                    setattr(package, maker, getattr(module, maker))


def operations(backend):
    """Return the operations of a backend: name -> function, sorted by name."""
    return {name: member for name, member in sorted(vars(backend).items()) if is_operation(member)}


def make_scratch(backend, declaration, sizes, options, dtype):
    """Return the work space of an operation, made by the family's function, or None.

    Parameters
    ----------
    backend : module
    declaration : Declaration
    sizes : dict of letter -> int
    options : dict of name -> value
    dtype : dtype

    Returns
    -------
    object or None
        None if the operation takes no scratch.
    """
    if not declaration.has_scratch:
        return None
    make = getattr(backend, f"{declaration.family}_scratch")
    known = sizes | options | {"dtype": dtype}
    return make(**{name: known[name] for name in inspect.signature(make).parameters})
