"""The benchmark's VAE in PyTorch."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from . import without_sigmoid

_ACTIVATIONS = {
    "linear": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),  # Keras' slope
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "softmax": lambda: nn.Softmax(dim=-1),
}


class Trainer:
    """Times torch.compile's gradients (one graph for forward and backward) and a native optimizer, compiled too.

    It needs a C++ compiler, and fails without one: eager PyTorch, 20 to 40% slower, never steps in for it.
    Handing a batch over costs nothing, as the tensor shares the array's memory.
    """

    def __init__(self, model: dict, optimizer: dict, batch_size: int, threads: int):
        torch.set_num_threads(threads)  # before anything is compiled, as it is compiled for so many
        if torch.get_num_interop_threads() != threads:  # may be set only once in a process
            torch.set_num_interop_threads(threads)
        torch.compiler.reset()  # else an earlier Trainer's graphs count towards a limit that ends in eager
        self.version = f"PyTorch {torch.__version__.split('+')[0]}"
        loss = _Loss(model)
        loss(torch.zeros(batch_size, *model["input_shape"]))  # gives the lazy layers their input sizes
        loss.apply(_initialize).requires_grad_(False)  # torch.func needs no tape
        self._parameters = dict(loss.named_parameters())
        self._gradients = torch.compile(_gradients(loss), fullgraph=True)
        self._update = torch.compile(_optimizer(optimizer, loss.parameters()).step)

    def step(self, x: np.ndarray) -> None:
        gradients = self._gradients(self._parameters, torch.from_numpy(x))
        for name, parameter in self._parameters.items():
            parameter.grad = gradients[name]
        self._update()

    def wait(self) -> None:
        """Nothing to wait for: on a CPU, PyTorch has finished when it returns."""


class _Loss(nn.Module):
    """The model and its loss as one module: a batch in, a scalar out."""

    def __init__(self, model: dict):
        super().__init__()
        from_logits = model["reconstruction"] == "binary_crossentropy"
        self.encoder = _chain(model["encoder"])
        self.decoder = _chain(without_sigmoid(model["decoder"]) if from_logits else model["decoder"])
        self.error = F.binary_cross_entropy_with_logits if from_logits else F.mse_loss
        self.scale = model["reconstruction_scale"]
        self.variational = model["class"] == "VAE"
        if self.variational:
            self.z_mean, self.z_log_var = nn.LazyLinear(model["latent_dim"]), nn.LazyLinear(model["latent_dim"])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.encoder(x)
        z, kl = self._sample(h) if self.variational else (h, 0.0)
        return self.scale * self.error(self.decoder(z), x) + kl

    def _sample(self, h: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean, log_var = self.z_mean(h), self.z_log_var(h)
        kl = -0.5 * (1 + log_var - mean.square() - log_var.exp()).sum() / len(h)
        return mean + torch.exp(log_var / 2) * torch.randn_like(mean), kl


def _gradients(loss: nn.Module):
    return lambda parameters, x: torch.func.grad(lambda p: torch.func.functional_call(loss, p, x))(parameters)


def _chain(layers: list[dict]) -> nn.Sequential:
    return nn.Sequential(*map(_layer, layers))


def _layer(config: dict) -> nn.Module:
    match config["class"]:
        case "Dense":
            return nn.Sequential(nn.LazyLinear(config["units"]), _ACTIVATIONS[config["activation"]]())
        case "Activation":
            return _ACTIVATIONS[config["activation"]]()
        case "Flatten":
            return nn.Flatten()
        case "Reshape":
            return nn.Sequential(nn.Flatten(), nn.Unflatten(1, config["target_shape"]))
        case "Dropout":
            return nn.Dropout(config["rate"])
        case name:
            raise ValueError(f"PyTorch's peer has no layer {name}")


def _initialize(module: nn.Module) -> None:
    """Keras' defaults: Glorot-uniform kernels and zero biases."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


def _optimizer(config: dict, parameters) -> torch.optim.Optimizer:
    """PyTorch's own, with its fused kernel where it has one."""
    lr = config["learning_rate"]
    match config["class"]:
        case "RMSprop":
            return torch.optim.RMSprop(parameters, lr, alpha=config["rho"], eps=config["epsilon"])
        case "Adam":
            betas = config["beta_1"], config["beta_2"]
            return torch.optim.Adam(parameters, lr, betas, eps=config["epsilon"], fused=True)
        case "SGD":
            return torch.optim.SGD(parameters, lr, momentum=config["momentum"], fused=True)
        case name:
            raise ValueError(f"PyTorch's peer has no optimizer {name}")
