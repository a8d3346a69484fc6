"""Imports go in one direction, without circles, and stand at the top of their files."""
import ast
import configparser
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("kernels", "scratchvae")
ORDER = (                       # a group imports only from itself and from those before it
    ("scratchvae.kernels",),
    ("scratchvae", "scratchvae.errors"),
    ("scratchvae.storage", "scratchvae.batches", "scratchvae.checks", "scratchvae.concurrency",
     "scratchvae.commands", "scratchvae.charts", "scratchvae.labels"),
    ("scratchvae.layers", "scratchvae.losses", "scratchvae.objectives", "scratchvae.optimizers",
     "scratchvae.schedules"),
    ("scratchvae.shards",),
    ("scratchvae.training",),
    ("scratchvae.text",),
    ("scratchvae.models",),
    ("scratchvae.data",),
    ("scratchvae.analysis", "scratchvae.analysis.metrics", "scratchvae.analysis.plots",
     "scratchvae.analysis.pages"),
    ("scratchvae.labs",),
    ("scratchvae.gradcheck",),
    ("scratchvae.runs",),
    ("scratchvae.exchange",),
    ("scratchvae.analysis.report", "scratchvae.analysis.bench"),
    ("scratchvae.analysis.compare",),
    ("scratchvae.sweeps",),
    ("scratchvae.teaching",),
    ("scratchvae.notebook", "scratchvae.sklearn"),
    ("scratchvae.cli", "scratchvae.__main__"),
)
DELAYED = (                     # they load libraries that take long, so functions may import them
    "scratchvae.analysis.plots",        # matplotlib
    "scratchvae.analysis.report",       # jinja2
    "scratchvae.analysis.compare",      # Pillow
    "scratchvae.cli.tables",            # rich
    "scratchvae.teaching",              # jinja2, rich
    "scratchvae.text.modern",           # compiles hundreds of patterns
)


class Import(NamedTuple):
    """An import of one module of the project by another."""
    importer: str
    imported: str
    in_function: bool


def module_name(path):
    """Return the dotted name of a file; the folder kernels is installed as scratchvae.kernels."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[0] == "kernels":
        parts = ("scratchvae", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path
         for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}


def imports_of(name):
    """Return the Imports of a module."""
    path = FILES[name]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return [Import(name, imported, in_function)
            for statement, in_function in import_statements(tree.body)
            for imported in imported_by(statement, package)]


def import_statements(statements, in_function=False):
    """Yield the imports among statements and within them, and whether each is in a function."""
    for statement in statements:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            yield statement, in_function
        inside = in_function or isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef))
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from import_statements(getattr(statement, field, ()), inside)


def imported_by(node, package):
    """Return the project's modules that a statement of a package imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if alias.name in FILES]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        parents = package.split(".")
        parents = parents[:len(parents) - node.level + 1]
        base = ".".join([*parents, *([node.module] if node.module else [])])
    if base not in FILES:
        return []
    modules = [f"{base}.{alias.name}" for alias in node.names]
    return [module if module in FILES else base for module in modules]


IMPORTS = [found for name in FILES for found in imports_of(name) if found.imported != name]


def within(name, package):
    """Return whether a module is a package or lies in it."""
    return name == package or name.startswith(f"{package}.")


def place(name):
    """Return the index of the group in ORDER with the longest prefix of a module's name."""
    matches = [(len(package), index) for index, group in enumerate(ORDER) for package in group
               if name == package or package != "scratchvae" and within(name, package)]
    assert matches, f"{name} has no place in ORDER"
    return max(matches)[1]


def test_modules_and_imports_are_found():
    """The checks below would pass if nothing were found."""
    assert len(FILES) > 150
    assert Import("scratchvae.labs.mnist_dense", "scratchvae.labs.objective", False) in IMPORTS
    assert Import("scratchvae.models.vae", "scratchvae.schedules", False) in IMPORTS
    assert Import("scratchvae.models.model", "scratchvae.kernels", False) in IMPORTS
    assert Import("scratchvae.labs.figures", "scratchvae.analysis.plots", True) in IMPORTS


def test_every_package_is_installed():
    packages = {name for name, path in FILES.items() if path.name == "__init__.py"}
    options = configparser.ConfigParser()
    options.read(ROOT / "setup.cfg")
    assert set(options["options"]["packages"].split()) == packages


def test_there_is_no_circle():
    graph = {name: set() for name in FILES}
    for found in IMPORTS:
        graph[found.importer].add(found.imported)
    assert len(list(TopologicalSorter(graph).static_order())) == len(FILES)


def test_kernels_do_not_import_scratchvae():
    assert not [found for found in IMPORTS
                if within(found.importer, "scratchvae.kernels")
                and not within(found.imported, "scratchvae.kernels")]


@pytest.mark.parametrize("name", FILES)
def test_a_module_imports_only_what_comes_before_it(name):
    later = [found.imported for found in IMPORTS
             if found.importer == name and place(found.imported) > place(name)]
    assert not later


def test_functions_import_only_what_is_slow_to_load():
    hidden = [f"{found.importer} imports {found.imported}" for found in IMPORTS
              if found.in_function
              and not any(within(found.imported, package) for package in DELAYED)]
    assert not hidden
