"""What other libraries compute for the measures of images, on small features: image_measures.npz.

    pip install torch torchmetrics prdc
    python tests/golden/make_image_measures.py

torchmetrics has the Frechet distance and the Inception Score, prdc (Naeem et al. 2020) the
precision and recall of Kynkäänniemi et al., and density and coverage.
"""
from pathlib import Path

import numpy as np
import torch
from prdc import compute_prdc
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore


class Given(torch.nn.Module):
    """A network that returns its input: the features are given."""

    num_features = 6

    def forward(self, x):
        return x


def main():
    rng = np.random.default_rng(0)
    mix = rng.standard_normal((6, 6))
    real = rng.standard_normal((90, 6)) @ mix
    generated = 1.3 * rng.standard_normal((70, 6)) @ mix[::-1] + 0.4
    logits = 2 * rng.standard_normal((60, 5))
    arrays = {"real": real, "generated": generated, "logits": logits}

    frechet = FrechetInceptionDistance(feature=Given(), input_img_size=(6,), normalize=True)
    frechet.update(torch.from_numpy(real), real=True)
    frechet.update(torch.from_numpy(generated), real=False)
    arrays["frechet"] = frechet.compute().numpy()

    score = InceptionScore(feature=Given(), splits=4)
    score.features = [torch.from_numpy(logits)]
    torch.manual_seed(0)
    mean, deviation = score.compute()
    torch.manual_seed(0)
    arrays["order"] = torch.randperm(len(logits)).numpy()       # compute shuffles
    arrays["inception"] = np.array([mean.item(), deviation.item()])

    found = compute_prdc(real, generated, nearest_k=3)
    arrays["prdc"] = np.array([found[name] for name in ("precision", "recall", "density",
                                                        "coverage")])
    np.savez_compressed(Path(__file__).with_name("image_measures.npz"), **arrays)
    print({name: array for name, array in arrays.items() if array.size < 5})


if __name__ == "__main__":
    main()
