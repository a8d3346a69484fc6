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
    """Train with the gradients of torch.compile and PyTorch's own optimizer, compiled too.

    Forward and backward pass are one compiled graph. This needs a C++ compiler and fails without
    one: it never falls back to eager PyTorch, which is 20 to 40% slower (with convolutions 5 to
    30%; about as fast if these are 4 x 4 with strides of one). On the CPU a batch is not copied:
    the tensor shares the array's memory.

    Gradients through a GRU are those of eager PyTorch and its own nn.GRU: torch.func can't compile
    that, and compiling hundreds of time steps written out takes minutes.

    Parameters
    ----------
    model, optimizer : dict
        Their configs.
    batch_size : int
        Not used; an argument of every Trainer.
    threads : int
        How many threads PyTorch uses.
    channels_last : bool, default False
        Store images and the kernels of convolutions with the channels last, as this library does.
    backend : {"cpu", "cuda"}, default "cpu"
    """

    launches = None

    def __init__(
        self,
        model: dict,
        optimizer: dict,
        batch_size: int,
        threads: int,
        channels_last: bool = False,
        backend: str = "cpu",
    ):
        torch.set_num_threads(threads)  # before compilation: graphs are compiled for this number
        if torch.get_num_interop_threads() != threads:  # may be set only once in a process
            torch.set_num_interop_threads(threads)
        # Else the graphs of earlier Trainers count towards the limit that ends compilation.
        torch.compiler.reset()
        self.device = torch.device(backend)
        self.version = f"PyTorch {torch.__version__.split('+')[0]}"
        if channels_last:
            self.version += ", channels_last"
        if backend == "cuda":
            self.version += " on the device"
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
        """Wait for the device; on a CPU, PyTorch has finished a step when the call returns."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()


class _Loss(nn.Module):
    """The model and its loss as one module, which maps a batch to a scalar."""

    def __init__(self, model: dict, channels_last: bool):
        super().__init__()
        dtype = torch.int32 if reads_words(model) else torch.float32
        self.encoder, shape = _chain(model["encoder"], model["input_shape"], channels_last, dtype)
        self.error = _ERRORS[model["reconstruction"]]
        self.scale = model["reconstruction_scale"]
        self.variational = model["class"] == "VAE"
        if self.variational:
            self.z_mean = nn.Linear(shape[-1], model["latent_dim"])
            self.z_log_var = nn.Linear(shape[-1], model["latent_dim"])
            shape = [model["latent_dim"]]
        self.decoder, _ = _chain(decoder_layers(model), shape, channels_last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = _channels_first(x)
        h = self.encoder(x)
        z, kl = self._sample(h) if self.variational else (h, 0.0)
        return self.scale * self.error(self.decoder(z), x) + kl

    def _sample(self, h: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean = self.z_mean(h)
        log_var = self.z_log_var(h)
        kl = -0.5 * (1 + log_var - mean.square() - log_var.exp()).sum() / len(h)
        return mean + torch.exp(log_var / 2) * torch.randn_like(mean), kl


def _gradients(loss: nn.Module):
    """Return a function (parameters, batch) -> gradients that can be compiled."""
    return lambda parameters, x: torch.func.grad(
        lambda p: torch.func.functional_call(loss, p, x)
    )(parameters)


def _taped_gradients(loss: nn.Module):
    """Return a function (parameters, batch) -> gradients by eager autograd."""
    return lambda parameters, x: dict(
        zip(parameters, torch.autograd.grad(loss(x), parameters.values()))
    )


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
    """Return a view of images in PyTorch's axis order; other examples are returned unchanged."""
    return x.permute(0, 3, 1, 2) if x.dim() == 4 else x


def _chain(
    layers: list[dict], shape, channels_last: bool, dtype=torch.float32
) -> tuple[nn.Sequential, torch.Size]:
    """Return the layers, and the output shape of the last."""
    chain = nn.Sequential()
    x = _channels_first(torch.zeros(2, *shape, dtype=dtype))
    for config in layers:
        chain.append(_layer(config, x.shape[1:], channels_last))
        x = chain[-1](x)
    return chain, x.shape[1:]


def _layer(config: dict, shape, channels_last: bool) -> nn.Module:
    match config["class"]:
        case "Dense":
            linear = nn.Linear(shape[-1], config["units"])
            return nn.Sequential(linear, _activation(config["activation"]))
        case "OneHotDense":
            linear = _OneHotLinear(config["depth"], config["units"])
            return nn.Sequential(linear, _activation(config["activation"]))
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
            flatten = _flatten(shape, channels_last)
            return nn.Sequential(flatten, _unflatten(config["target_shape"], channels_last))
        case "Dropout":
            return nn.Dropout(config["rate"])
        case name:
            raise ValueError(f"The PyTorch peer has no layer {name}.")


class _OneHotLinear(nn.Module):
    """A linear layer of one-hot vectors: their products with the kernel are its rows."""

    def __init__(self, depth: int, units: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(depth, units))
        self.bias = nn.Parameter(torch.empty(units))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.embedding(x[:, 0], self.weight) + self.bias


class _GRU(nn.GRU):
    """PyTorch's own GRU, which returns only what the next layer reads.

    Its equations are Keras's with reset_after.
    """

    def __init__(self, config: dict, inputs: int, bidirectional: bool = False):
        super().__init__(inputs, config["units"], batch_first=True, bidirectional=bidirectional)
        self.return_sequences = config["return_sequences"]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states, last = super().forward(x)
        if self.return_sequences:
            return states
        return last.transpose(0, 1).flatten(1)


class _Repeat(nn.Module):
    def __init__(self, n: int):
        super().__init__()
        self.n = n

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.unsqueeze(1).expand(-1, self.n, -1)


def _convolution(config: dict, shape) -> nn.Module:
    """Return a convolution with Keras's output shape.

    With strides, "same" padding may need one more row or column on one side. Keras adds it behind;
    here it is in front. The model is then the mirror image of Keras's, and PyTorch need not copy
    the images to pad them.
    """
    size = config["kernel_size"]
    strides = config["strides"]
    if config["padding"] == "valid" or max(strides) == 1:
        padding = config["padding"]
    else:
        padding = [
            (max((-(-n // s) - 1) * s + k - n, 0) + 1) // 2
            for n, k, s in zip(shape[1:], size, strides)
        ]
    return nn.Conv2d(shape[0], config["filters"], size, strides, padding)


def _transposed(config: dict, shape) -> nn.Module:
    """Return a transposed convolution with Keras's output shape.

    With strides it is mirrored as in _convolution. With a stride of one, the extra row and column
    are cut off, which is faster than a convolution that pads.
    """
    size = config["kernel_size"]
    strides = config["strides"]
    same = config["padding"] == "same"
    crop = [(max(k - s, 0) + (s > 1)) // 2 if same else 0 for k, s in zip(size, strides)]
    extra = [s - k + 2 * c if same else max(s - k, 0) for k, s, c in zip(size, strides, crop)]
    added = [max(e, 0) for e in extra]
    layer = nn.ConvTranspose2d(shape[0], config["filters"], size, strides, crop, added)
    down, right = (min(e, 0) for e in extra)
    return nn.Sequential(layer, nn.ZeroPad2d((0, right, 0, down))) if down or right else layer


def _flatten(shape, channels_last: bool) -> nn.Module:
    """Return a layer that flattens examples in their order in memory."""
    if channels_last and len(shape) == 3:
        return nn.Sequential(_Permute(0, 2, 3, 1), nn.Flatten())
    return nn.Flatten()


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
    """Initialize a module as Keras does.

    Kernels are Glorot-uniform, recurrent kernels orthogonal, and biases zero.
    """
    if isinstance(module, (nn.Linear, _OneHotLinear, nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.uniform_(module.weight, -0.05, 0.05)
    elif isinstance(module, nn.GRU):
        for name, parameter in module.named_parameters():
            if "bias" in name:
                nn.init.zeros_(parameter)
            elif "hh" in name:
                nn.init.orthogonal_(parameter)
            else:
                nn.init.xavier_uniform_(parameter)
    elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
        module.num_batches_tracked = None  # it is updated in place, which torch.func refuses


def _optimizer(config: dict, parameters) -> torch.optim.Optimizer:
    """Return PyTorch's own optimizer, with its fused kernel if it has one."""
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
            raise ValueError(f"The PyTorch peer has no optimizer {name}.")
