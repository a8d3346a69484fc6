"""Layers of a user's own, from a file: "my_layers.py:MyLayer(5)"."""
import ast
import importlib.util
import sys
from pathlib import Path

from ...errors import ScratchVAEError
from ...gradcheck import check_layer
from ...kernels.own import described, place_of
from ...layers import Layer

BATCHES = (3, 1)                # sizes of the batches that a layer is checked with


def is_layer(text):
    """Return whether a subject is a layer in a file."""
    return ".py:" in text


def judge_layer(text, input_shape):
    """Yield a gradcheck.Report of a layer for each size of a batch.

    Parameters
    ----------
    text : str
        FILE.py:Layer, or FILE.py:Layer(arguments); the arguments are numbers, text and the like.
    input_shape : tuple of int or None
        The shape of an example; None takes the layer's own `examples`.

    Raises
    ------
    ScratchVAEError
        If there is no such layer, it cannot be made, or no shape is known.
    """
    file, _, call = text.rpartition(".py:")
    layer_class, arguments, options = parse(Path(file + ".py"), call)
    if input_shape is None:
        cases = list(layer_class.examples()) if "examples" in vars(layer_class) else []
        if not cases:
            raise ScratchVAEError(f"{call}: give --input-shape, the shape of one example, such as "
                                  "--input-shape 28,28,1; or define examples() in the class")
    else:
        try:
            cases = [(layer_class(*arguments, **options), input_shape)]
        except TypeError as error:
            raise ScratchVAEError(f"{call}: {error}") from None
    for layer, shape in cases:
        layer.backend = "reference"
        for batch in BATCHES:
            try:
                yield check_layer(layer, shape, batch=batch)
            except ScratchVAEError:
                raise
            except Exception as error:
                raise ScratchVAEError(f"{place_of(error, Path(file).resolve())}: "
                                      f"{described(error)}") from error


def parse(file, call):
    """Return (class, positional arguments, keyword arguments) of a call in a file."""
    if not file.is_file():
        raise ScratchVAEError(f"{file}: no such file")
    try:
        node = ast.parse(call, mode="eval").body
        name = node.func.id if isinstance(node, ast.Call) else node.id
        arguments = [ast.literal_eval(value) for value in getattr(node, "args", [])]
        options = {keyword.arg: ast.literal_eval(keyword.value)
                   for keyword in getattr(node, "keywords", [])}
    except (SyntaxError, AttributeError, ValueError):
        raise ScratchVAEError(f"{call!r}: expected a class, or a call with plain values, such as "
                              "MyLayer(5)") from None
    module = imported(file.resolve())
    found = getattr(module, name, None)
    if not (isinstance(found, type) and issubclass(found, Layer)):
        known = [key for key, value in vars(module).items() if isinstance(value, type)
                 and issubclass(value, Layer) and value.__module__ == module.__name__]
        raise ScratchVAEError(f"{file}: has no layer {name}; "
                              f"layers there: {', '.join(known) or 'none'}")
    return found, arguments, options


def imported(file):
    """Return a file as a module; files beside it can be imported by it."""
    sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ScratchVAEError(f"{place_of(error, file)}: {described(error)}") from error
    return module
