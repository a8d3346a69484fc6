"""The example scripts run as they are, and say the same as the labs they show."""
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from scratchvae import labs

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("script, figures", [("mnist_dense", 5)])
def test_example_runs(script, figures, small_data, tmp_path):
    result = subprocess.run([sys.executable, EXAMPLES / f"{script}.py", "--epochs", "1", "--limit", "20", "--data-dir", small_data,
                             "--out", tmp_path / "out"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    drawn = list((tmp_path / "out").glob("*.png"))
    assert len(drawn) == figures and all(str(path) in result.stdout for path in drawn)


def test_example_has_the_lab_s_model():
    specification = importlib.util.spec_from_file_location("mnist_dense", EXAMPLES / "mnist_dense.py")
    example = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(example)
    lab = labs.get("mnist-dense")
    assert json.dumps(example.make_vae().get_config()) == json.dumps(lab.make_model(lab.settings).get_config())
