"""What ruff does not look at: lines of the pages, and assignments that save a line."""
import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("kernels", "scratchvae", "examples", "tests")
COLUMNS = 100


def files(*suffixes):
    """The project's files of these kinds."""
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*"))
            if path.suffix in suffixes]


def test_lines_fit_on_a_screen():
    found = files(".py", ".js", ".css", ".html")
    long = [f"{path.relative_to(ROOT)}:{number}" for path in found
            for number, line in enumerate(path.read_text().splitlines(), 1) if len(line) > COLUMNS]
    assert len(found) > 200
    assert not long


def packs(node):
    """Whether a statement assigns several values to several names, and is not a swap."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Tuple):
        return False
    targets = [target for target in node.targets if isinstance(target, ast.Tuple)]
    written = {ast.unparse(element) for target in targets for element in target.elts}
    read = {ast.unparse(part) for part in ast.walk(node.value) if isinstance(part, ast.expr)}
    return bool(targets) and not written & read


def test_an_assignment_has_a_line_of_its_own():
    packed = [f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"
              for path in files(".py")
              for node in ast.walk(ast.parse(path.read_text())) if packs(node)]
    assert not packed


def test_a_packed_assignment_is_found_and_a_swap_is_not():
    packed, swap, unpacking = ast.parse("a, b = 1, 2\na, b = b, a + b\nN, K = x.shape").body
    assert packs(packed)
    assert not packs(swap)
    assert not packs(unpacking)
