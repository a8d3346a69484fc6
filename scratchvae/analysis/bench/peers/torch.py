"""The benchmark's VAE in PyTorch."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from . import decoder_layers, has_recurrence, reads_words, split_activation

_ACTIVATIONS = {
    "linear": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "softmax": lambda: nn.Softmax(dim=-1),
}


class Trainer:
    """Times torch.compile's gradients (one graph for forward and backward) and a native optimizer, compiled too.

    It needs a C++ compiler, and fails without one: eager PyTorch never steps in for it. That is 20 to 40% slower; with
    convolutions 5 to 30%, and about as fast where they are 4 x 4 with a stride of one. Handing a batch over costs
    nothing, as the tensor shares the array's memory.

    Gradients through a GRU are eager PyTorch's, with its own nn.GRU: compiling that fails within torch.func, and compiling
    its hundreds of steps written out takes minutes.

    channels_last: images, and the kernels of convolutions, lie in memory as elsewhere in this library.  backend: "cpu" or "cuda".
    """

    launches = None

    def __init__(self, model: dict, optimizer: dict, batch_size: int, threads: int, channels_last: bool = False, backend: str = "cpu"):
        torch.set_num_threads(threads)  # before anything is compiled, as it is compiled for so many
        if torch.get_num_interop_threads() != threads:  # may be set only once in a process
            torch.set_num_interop_threads(threads)
        torch.compiler.reset()  # else an earlier Trainer's graphs count towards a limit that ends in eager
        self.device = torch.device(backend)
        on_device = " on the device" if backend == "cuda" else ""
        self.version = f"PyTorch {torch.__version__.split('+')[0]}{', channels_last' * channels_last}{on_device}"
        loss = _Loss(model, channels_last).apply(_initialize).to(self.device)
        if channels_last:
            loss.to(memory_format=torch.channels_last)
        self._parameters = dict(loss.named_parameters())
        if has_recurrence(model):
            self._gradients = _taped_gradients(loss)
        else:
            loss.requires_grad_(False)  # torch.func needs no tape
            self._gradients = torch.compile(_gradients(loss), fullgraph=True)
        self._update = torch.compile(_optimizer(optimizer, loss.parameters()).step)

    def put(self, x: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(x).to(self.device)

    def step(self, x: torch.Tensor) -> None:
        gradients = self._gradients(self._parameters, x)
        for name, parameter in self._parameters.items():
            parameter.grad = gradients[name]
        self._update()

    def wait(self) -> None:
        """On a CPU, PyTorch has finished when it returns."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()


class _Loss(nn.Module):
    """The model and its loss as one module: a batch in, a scalar out."""

    def __init__(self, model: dict, channels_last: bool):
        super().__init__()
        dtype = torch.int32 if reads_words(model) else torch.float32
        self.encoder, shape = _chain(model["encoder"], model["input_shape"], channels_last, dtype)
        self.error = _ERRORS[model["reconstruction"]]
        self.scale = model["reconstruction_scale"]
        self.variational = model["class"] == "VAE"
        if self.variational:
            self.z_mean, self.z_log_var = (nn.Linear(shape[-1], model["latent_dim"]) for _ in range(2))
            shape = [model["latent_dim"]]
        self.decoder, _ = _chain(decoder_layers(model), shape, channels_last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = _channels_first(x)
        h = self.encoder(x)
        z, kl = self._sample(h) if self.variational else (h, 0.0)
        return self.scale * self.error(self.decoder(z), x) + kl

    def _sample(self, h: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean, log_var = self.z_mean(h), self.z_log_var(h)
        kl = -0.5 * (1 + log_var - mean.square() - log_var.exp()).sum() / len(h)
        return mean + torch.exp(log_var / 2) * torch.randn_like(mean), kl


def _gradients(loss: nn.Module):
    return lambda parameters, x: torch.func.grad(lambda p: torch.func.functional_call(loss, p, x))(parameters)


def _taped_gradients(loss: nn.Module):
    return lambda parameters, x: dict(zip(parameters, torch.autograd.grad(loss(x), parameters.values())))


def _softmax_crossentropy(logits: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(logits.flatten(0, 1), words.flatten().long())


def _onehot_crossentropy(logits: torch.Tensor, word: torch.Tensor) -> torch.Tensor:
    return F.softplus(logits).mean() - logits.gather(1, word.long()).sum() / logits.numel()


_ERRORS = {
    "binary_crossentropy": F.binary_cross_entropy_with_logits,
    "squared_error": F.mse_loss,
    "sparse_categorical_crossentropy": _softmax_crossentropy,
    "onehot_binary_crossentropy": _onehot_crossentropy,
}


def _channels_first(x: torch.Tensor) -> torch.Tensor:
    """PyTorch's order of the axes, whatever lies how in memory; examples that are no images stay as they are."""
    return x.permute(0, 3, 1, 2) if x.dim() == 4 else x


def _chain(layers: list[dict], shape, channels_last: bool, dtype=torch.float32) -> tuple[nn.Sequential, torch.Size]:
    """The layers, and the shape that comes out of the last."""
    chain, x = nn.Sequential(), _channels_first(torch.zeros(2, *shape, dtype=dtype))
    for config in layers:
        chain.append(_layer(config, x.shape[1:], channels_last))
        x = chain[-1](x)
    return chain, x.shape[1:]


def _layer(config: dict, shape, channels_last: bool) -> nn.Module:
    match config["class"]:
        case "Dense":
            return nn.Sequential(nn.Linear(shape[-1], config["units"]), _activation(config["activation"]))
        case "OneHotDense":
            return nn.Sequential(_OneHotLinear(config["depth"], config["units"]), _activation(config["activation"]))
        case "Embedding" if not config["mask_zero"]:
            return nn.Embedding(config["input_dim"], config["output_dim"])
        case "GRU":
            return _GRU(config, shape[-1])
        case "Bidirectional":
            return _GRU(config["layer"], shape[-1], bidirectional=True)
        case "RepeatVector":
            return _Repeat(config["n"])
        case "Conv2D":
            return nn.Sequential(_convolution(config, shape), _activation(config["activation"]))
        case "Conv2DTranspose":
            return nn.Sequential(_transposed(config, shape), _activation(config["activation"]))
        case "BatchNormalization":
            norm = nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d
            return norm(shape[0], config["epsilon"], 1 - config["momentum"])
        case "Activation":
            return _activation(config["activation"])
        case "Flatten":
            return _flatten(shape, channels_last)
        case "Reshape":
            return nn.Sequential(_flatten(shape, channels_last), _unflatten(config["target_shape"], channels_last))
        case "Dropout":
            return nn.Dropout(config["rate"])
        case name:
            raise ValueError(f"PyTorch's peer has no layer {name}")


class _OneHotLinear(nn.Module):
    """A linear layer of one-hot vectors: rows of its kernel."""

    def __init__(self, depth: int, units: int):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(depth, units)), nn.Parameter(torch.empty(units))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.embedding(x[:, 0], self.weight) + self.bias


class _GRU(nn.GRU):
    """PyTorch's own, whose equations are Keras' with reset_after, giving only what the next layer reads."""

    def __init__(self, config: dict, inputs: int, bidirectional: bool = False):
        super().__init__(inputs, config["units"], batch_first=True, bidirectional=bidirectional)
        self.return_sequences = config["return_sequences"]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states, last = super().forward(x)
        return states if self.return_sequences else last.transpose(0, 1).flatten(1)


class _Repeat(nn.Module):
    def __init__(self, n: int):
        super().__init__()
        self.n = n

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.unsqueeze(1).expand(-1, self.n, -1)


def _convolution(config: dict, shape) -> nn.Module:
    """Where "same" needs an odd row more, a stride has it in front: the mirrored model, for which PyTorch need not copy."""
    size, strides = config["kernel_size"], config["strides"]
    if config["padding"] == "valid" or max(strides) == 1:
        padding = config["padding"]
    else:
        padding = [(max((-(-n // s) - 1) * s + k - n, 0) + 1) // 2 for n, k, s in zip(shape[1:], size, strides)]
    return nn.Conv2d(shape[0], config["filters"], size, strides, padding)


def _transposed(config: dict, shape) -> nn.Module:
    """Mirrored likewise; a stride of one has its odd row and column cut off instead, faster than a convolution that pads."""
    size, strides, same = config["kernel_size"], config["strides"], config["padding"] == "same"
    crop = [(max(k - s, 0) + (s > 1)) // 2 if same else 0 for k, s in zip(size, strides)]
    extra = [s - k + 2 * c if same else max(s - k, 0) for k, s, c in zip(size, strides, crop)]
    layer = nn.ConvTranspose2d(shape[0], config["filters"], size, strides, crop, [max(e, 0) for e in extra])
    down, right = (min(e, 0) for e in extra)
    return nn.Sequential(layer, nn.ZeroPad2d((0, right, 0, down))) if down or right else layer


def _flatten(shape, channels_last: bool) -> nn.Module:
    """In the order that lies in memory."""
    return nn.Sequential(_Permute(0, 2, 3, 1), nn.Flatten()) if channels_last and len(shape) == 3 else nn.Flatten()


def _unflatten(shape, channels_last: bool) -> nn.Module:
    if len(shape) < 3:
        return nn.Unflatten(1, shape)
    if channels_last:
        return nn.Sequential(nn.Unflatten(1, shape), _Permute(0, 3, 1, 2))
    return nn.Unflatten(1, (shape[2], *shape[:2]))


class _Permute(nn.Module):
    def __init__(self, *axes: int):
        super().__init__()
        self.axes = axes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(self.axes)


def _activation(name: str) -> nn.Module:
    kind, slope = split_activation(name)
    return _ACTIVATIONS[kind](*slope)


def _initialize(module: nn.Module) -> None:
    """Keras' defaults: Glorot-uniform kernels, orthogonal recurrent ones and zero biases."""
    if isinstance(module, (nn.Linear, _OneHotLinear, nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.uniform_(module.weight, -0.05, 0.05)
    elif isinstance(module, nn.GRU):
        for name, parameter in module.named_parameters():
            start = nn.init.zeros_ if "bias" in name else nn.init.orthogonal_ if "hh" in name else nn.init.xavier_uniform_
            start(parameter)
    elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
        module.num_batches_tracked = None  # counts in place, which torch.func refuses


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
