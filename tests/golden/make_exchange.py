"""Makes the files exchange*: models written in Keras 3 and in PyTorch by hand, their weights as the
frameworks save them, and what they compute. Needs keras, torch and safetensors; the tests do not.

KERAS_BACKEND=torch python tests/golden/make_exchange.py
"""
from pathlib import Path

import keras
import numpy as np
import torch
from keras import layers
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

FOLDER = Path(__file__).parent
rng = np.random.default_rng(7)


def randomize(model):
    """Random weights, none of them 0 or 1; what is divided by is positive."""
    for weight in model.weights:
        values = 0.7 * rng.standard_normal(weight.shape)
        positive = weight.name in ("gamma", "moving_variance")
        if weight.dtype == "float32":
            weight.assign(0.5 + np.abs(values) if positive else values)


def image_vae():
    """A convolutional VAE of 5 x 6 x 2, with odd sizes, so that "same" is not symmetric."""
    x = keras.Input((5, 6, 2))
    h = layers.Conv2D(3, (2, 3), strides=2, padding="same", activation="relu")(x)
    h = layers.BatchNormalization()(h)
    h = layers.Conv2D(4, 2, padding="same")(h)
    h = layers.LeakyReLU(negative_slope=0.3)(h)
    h = layers.MaxPooling2D(2, padding="same")(h)
    h = layers.Flatten()(h)
    h = layers.Dense(7, activation="tanh")(h)
    heads = [layers.Dense(2, name="z_mean")(h), layers.Dense(2, name="z_log_var")(h)]
    encoder = keras.Model(x, heads, name="encoder")
    z = keras.Input((2,))
    h = layers.Dense(12, activation="relu")(z)
    h = layers.Reshape((2, 2, 3))(h)
    h = layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu")(h)
    h = layers.BatchNormalization()(h)
    h = layers.UpSampling2D(2)(h)
    h = layers.Cropping2D(((1, 2), (0, 2)))(h)
    h = layers.Conv2DTranspose(2, 2, padding="same", activation="sigmoid")(h)
    return encoder, keras.Model(z, h, name="decoder")


def text_vae():
    """A VAE of 5 words out of 9, whose padding is skipped."""
    x = keras.Input((5,), dtype="int32")
    h = layers.Embedding(9, 4, mask_zero=True)(x)
    h = layers.Bidirectional(layers.GRU(3, return_sequences=True))(h)
    h = layers.LSTM(4)(h)
    heads = [layers.Dense(2, name="z_mean")(h), layers.Dense(2, name="z_log_var")(h)]
    encoder = keras.Model(x, heads, name="encoder")
    z = keras.Input((2,))
    h = layers.RepeatVector(5)(z)
    h = layers.Bidirectional(layers.LSTM(2, return_sequences=True))(h)
    h = layers.LayerNormalization()(h)
    h = layers.GRU(4, return_sequences=True)(h)
    h = layers.Dense(9, activation="softmax")(h)
    return encoder, keras.Model(z, h, name="decoder")


class Subclass(keras.Model):
    """As in Keras's own example: the networks are attributes, so their names order the file."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.loss_tracker = keras.metrics.Mean(name="loss")

    def call(self, x):
        return self.decoder(self.encoder(x)[0])


def outputs(encoder, decoder, x):
    """What the model computes, by name."""
    z_mean, z_log_var = encoder.predict(x, verbose=0)
    return {"x": x, "z_mean": z_mean, "z_log_var": z_log_var,
            "reconstruction": decoder.predict(z_mean, verbose=0)}


def joined(encoder, decoder):
    """Both as one functional model."""
    x = keras.Input(encoder.input_shape[1:], dtype=encoder.inputs[0].dtype)
    z_mean, z_log_var = encoder(x)
    return keras.Model(x, [z_mean, z_log_var, decoder(z_mean)])


class TorchVAE(nn.Module):
    """The layers that PyTorch has otherwise: gates, kernels, second biases, batch statistics."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.ModuleDict({
            "embedding": nn.Embedding(9, 4),
            "bidirectional": nn.GRU(4, 3, batch_first=True, bidirectional=True),
            "lstm": nn.LSTM(6, 4, batch_first=True),
            "batch_normalization": nn.BatchNorm1d(4, eps=1e-3, momentum=0.01),
            "z_mean": nn.Linear(4, 2),
            "z_log_var": nn.Linear(4, 2),
        })
        self.decoder = nn.ModuleDict({
            "dense": nn.Linear(2, 12),
            "conv2d_transpose": nn.ConvTranspose2d(3, 4, (2, 3), stride=2),
            "conv2d": nn.Conv2d(4, 2, (2, 3)),
            "dense_1": nn.Linear(40, 5),
        })

    def forward(self, x):
        h = self.encoder["embedding"](x)
        h, _ = self.encoder["bidirectional"](h)
        _, (h, _) = self.encoder["lstm"](h)
        h = self.encoder["batch_normalization"](h[0])
        z_mean = self.encoder["z_mean"](h)
        z_log_var = self.encoder["z_log_var"](h)
        h = F.relu(self.decoder["dense"](z_mean)).reshape(-1, 2, 2, 3).permute(0, 3, 1, 2)
        h = torch.tanh(self.decoder["conv2d_transpose"](h))
        h = self.decoder["conv2d"](F.pad(h, (1, 1, 0, 1)))
        return z_mean, z_log_var, self.decoder["dense_1"](h.permute(0, 2, 3, 1).flatten(1))


def torch_files():
    """A state_dict, and what the model computes."""
    vae = TorchVAE().eval()
    for name, tensor in vae.state_dict().items():
        values = torch.tensor(0.7 * rng.standard_normal(tuple(tensor.shape)))
        if name == "encoder.lstm.bias_hh_l0":           # an LSTM of Keras has one bias
            tensor.zero_()
        elif tensor.dtype == torch.float32:
            tensor.copy_(0.5 + values.abs() if name.endswith("running_var") else values)
    save_file(vae.state_dict(), FOLDER / "exchange_torch.safetensors")
    x = rng.integers(0, 9, (3, 5), np.int32)
    with torch.no_grad():
        found = vae(torch.from_numpy(x))
    names = ("z_mean", "z_log_var", "reconstruction")
    return {"x": x, **{name: tensor.numpy() for name, tensor in zip(names, found)}}


def main():
    golden = {}
    images = rng.random((3, 5, 6, 2), np.float32)
    lines = np.array([[3, 4, 5, 2, 0], [1, 2, 0, 0, 0], [7, 0, 8, 0, 6]], np.int32)
    for name, make, x in (("images", image_vae, images), ("text", text_vae, lines)):
        encoder, decoder = make()
        vae = joined(encoder, decoder)
        randomize(vae)
        golden |= {f"{name}/{key}": array for key, array in outputs(encoder, decoder, x).items()}
        if name == "text":
            vae.save(FOLDER / "exchange_text.keras")
        else:
            vae.save_weights(FOLDER / "exchange_images.weights.h5")
            subclass = Subclass(encoder, decoder)
            subclass(x)
            subclass.save_weights(FOLDER / "exchange_subclass.weights.h5")
    golden |= {f"torch/{key}": array for key, array in torch_files().items()}
    np.savez_compressed(FOLDER / "exchange.npz", **golden)
    x = keras.Input((4, 3))
    before = keras.Model(x, layers.GRU(2, reset_after=False)(x))
    before.save_weights(FOLDER / "exchange_reset_before.weights.h5")


if __name__ == "__main__":
    main()
