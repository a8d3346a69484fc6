"""mnist-batchnorm-deep: mnist-batchnorm with four convolutions and up to 1024 filters."""
from dataclasses import replace

from . import mnist_batchnorm
from .lab import Reference

STAGES = ((128, 2), (256, 2), (512, 1), (1024, 1))      # filters and strides of the convolutions


def make_model(settings, backend="cpu"):
    """Return the VAE of mnist-batchnorm with these convolutions."""
    return mnist_batchnorm.make_network(STAGES, settings, backend)


LAB = replace(
    mnist_batchnorm.LAB,
    number=7,
    name="mnist-batchnorm-deep",
    title="The same with 23 million parameters",
    epochs=5,
    small_settings={"divide": 256, "side": 4},
    make_model=make_model,
    parameters=23_199_929,
    references=(
        Reference("the sheet", 1, 0.2530, 0.2558),
        Reference("the sheet", 2, 0.2012, 0.1940),
        Reference("the sheet", 3, 0.1910, 0.1896),
        Reference("the sheet", 4, 0.1869, 0.1837),
        Reference("the sheet", 5, 0.1846, 0.3467),
    ),
    beside="mnist-batchnorm",
)
