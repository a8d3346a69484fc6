"""Mutation testing of the reference kernels: does the judge catch small changes of every line?

    python tests/mutation.py                    all files
    python tests/mutation.py gru batchnorm      some of them

Each mutant is the reference in a folder, with one change: an operator, a constant, an index, an
axis, a comparison, a function of NumPy, a term or a statement that is left out. A mutant is caught
if the judge finds something wrong with an operation of its file. Survivors are printed; those that
change no result (np.empty for np.zeros of an array that is filled) cannot be caught.
"""
import ast
import copy
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np
from scratchvae.kernels.own import FILES, operations_of_file

from scratchvae import kernels
from scratchvae.teaching.course.folder import reference_file
from scratchvae.teaching.judge.operations import judge

REFERENCE = kernels.load("reference")
SECONDS = 20                    # that a mutant may take: an endless loop is caught, too
BINARY = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
          ast.MatMult: ast.Mult, ast.Pow: ast.Mult}
COMPARED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
            ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is}
NAMES = {"maximum": "minimum", "max": "min", "sum": "mean", "mean": "sum", "exp": "expm1",
         "log1p": "log", "argmax": "argmin", "square": "abs", "cos": "sin", "sin": "cos",
         "sqrt": "square", "zeros_like": "ones_like", "T": "real"}


LEFT_OUT = ast.parse("left_out = True").body[0]


class Late(Exception):
    """A mutant that does not end."""


def mutants(source):
    """Yield (line, what is changed, mutated source) for every place that can be changed."""
    tree = ast.parse(source)
    for function in computing(tree):
        for place, node in enumerate(ast.walk(function)):
            for change in changes(node):
                mutated = copy.deepcopy(tree)
                twin = next(other for other in mutated.body
                            if isinstance(other, ast.FunctionDef) and other.name == function.name)
                target = list(ast.walk(twin))[place]
                before = ast.unparse(target)
                change(target)
                if ast.unparse(target) != before:
                    yield (node.lineno if hasattr(node, "lineno") else function.lineno,
                           f"{before}  ->  {ast.unparse(target)}", ast.unparse(mutated))


def computing(tree):
    """Return the functions of a file that its operations run: themselves, and what they call."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    reached = [name for name in functions if hasattr(REFERENCE, name)
               and not name.endswith("_scratch")]
    for name in reached:
        reached += [node.id for node in ast.walk(functions[name]) if isinstance(node, ast.Name)
                    and node.id in functions and node.id not in reached]
    return [functions[name] for name in reached]


def changes(node):
    """Return functions that change a node of this kind in place."""
    found = []
    if isinstance(node, ast.BinOp):
        if type(node.op) in BINARY:
            found.append(lambda n: setattr(n, "op", BINARY[type(n.op)]()))
        if isinstance(node.op, (ast.Add, ast.Sub)):
            found += [lambda n: drop(n, "right"), lambda n: drop(n, "left")]
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARED:
        found.append(lambda n: n.ops.__setitem__(0, COMPARED[type(n.ops[0])]()))
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        found += [lambda n: setattr(n, "value", n.value + 1),
                  lambda n: setattr(n, "value", n.value - 1)]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        found.append(lambda n: setattr(n, "op", ast.UAdd()))
    elif isinstance(node, ast.Attribute) and node.attr in NAMES:
        found.append(lambda n: setattr(n, "attr", NAMES[n.attr]))
    elif isinstance(node, ast.AugAssign) and type(node.op) in BINARY:
        found.append(lambda n: setattr(n, "op", BINARY[type(n.op)]()))
    elif isinstance(node, (ast.FunctionDef, ast.For, ast.If)):
        for i, statement in enumerate(node.body):
            if isinstance(statement, (ast.Assign, ast.AugAssign, ast.Expr)) and not (
                    isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
                found.append(lambda n, i=i: n.body.__setitem__(i, LEFT_OUT))
    return found


def drop(node, side):
    """Leave out one side of a sum: x + y becomes x + 0."""
    setattr(node, side, ast.Constant(0))


def caught(source, file):
    """Return whether the judge finds something wrong with a mutated file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / f"{file}.py").write_text(source)
        for other in FILES:
            if other != f"{file}.py":
                (path / other).write_text(reference_file(Path(other).stem))
        signal.alarm(SECONDS)
        try:
            backend = kernels.load(folder)
            order = sorted(backend.written, key=lambda name: name not in operations_of_file(file))
            return any(not judge(backend, REFERENCE, name).passed for name in order
                       if name in operations_of_file(file) or file in USED_BY)
        except Exception:               # also Late
            return True
        finally:
            signal.alarm(0)


USED_BY = ("activations", "conv2d")     # files whose helpers other files use


def late(*_):
    """End a mutant."""
    raise Late


def main():
    """Print the survivors of each file and the share that was caught."""
    signal.signal(signal.SIGALRM, late)
    np.seterr(all="ignore")
    total = survived = 0
    for file in sys.argv[1:] or [Path(name).stem for name in FILES]:
        count = alive = 0
        for _, change, source in mutants(reference_file(file)):
            count += 1
            if not caught(source, file):
                alive += 1
                print(f"{file}: {change}", flush=True)
        print(f"{file}: {count - alive} of {count} caught", flush=True)
        total += count
        survived += alive
    print(f"{total - survived} of {total} caught, {100 * (1 - survived / max(total, 1)):.1f} %")


if __name__ == "__main__":
    main()
