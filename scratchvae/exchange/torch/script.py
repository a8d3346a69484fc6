"""The script that makes a model again in PyTorch."""
from ...models.text_vae import END
from ..pieces import halves
from ..writing import CODES, COMPARISON, code, commented
from .layers import RECURRENT, Chain, linear, recurrent_member

HEAD = '''"""{title}, in PyTorch.

Written by scratchvae. Beside this file lie the trained weights, vae.safetensors, and some examples
with what scratchvae computes for them in float64, examples.npz.

    python rebuild.py               compares with these

In a program of yours:

    from rebuild import load
    vae = load()
"""
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

HERE = Path(__file__).parent
'''

PACKING = '''

def without_padding(h, x):
    """Return the steps of h (N, T, K) whose words x (N, T) are not padding, 0, as packed lines."""
    present = x != 0
    order = present.int().argsort(dim=1, descending=True, stable=True)      # those present first
    h = h.gather(1, order[..., None].expand_as(h))
    return nn.utils.rnn.pack_padded_sequence(h, present.sum(dim=1).cpu(), batch_first=True,
                                             enforce_sorted=False)
'''

SAMPLING = '''

def sample(z_mean, z_log_var):
    """Return z = mu + sigma eps, eps ~ N(0, 1): in training the decoder is given this."""
    return z_mean + torch.exp(z_log_var / 2) * torch.randn_like(z_mean)
'''

TAIL = '''

def load():
    """Return the VAE with the trained weights, for inference."""
    vae = VAE()
    vae.load_state_dict(load_file(HERE / "vae.safetensors"))
    return vae.eval()


def results(examples):
    """Return what this model computes for the examples, by name."""
    with torch.no_grad():
        outputs = [output.numpy() for output in load()(torch.from_numpy(examples["x"]))]
    return dict(zip({names}, outputs))
'''

MAIN = '''

if __name__ == "__main__":
    sys.exit(None if compare() else "the numbers differ")
'''


def script(model, networks, title):
    """Return the script as text.

    Parameters
    ----------
    model : VAE, TextVAE or Autoencoder
    networks : dict of str -> list of Piece
    title : str
    """
    codes = CODES[model.name]
    parts = halves(networks)
    masked = any(piece.masked and piece.kind in RECURRENT for piece in parts["encoder"])
    return "".join([
        HEAD.format(title=title),
        PACKING if masked else "",
        _encoder(model, parts["encoder"], codes),
        _decoder(model, parts["decoder"]),
        _vae(model, codes),
        SAMPLING if len(codes) == 2 else "",
        TAIL.format(names=code((*codes, "reconstruction"))),
        COMPARISON,
        MAIN,
    ])


def _module(name, docstring, members, arguments, lines):
    """Return a module of PyTorch as text."""
    made = [("super().__init__()", ""), *members]
    return (f'\n\nclass {name}(nn.Module):\n    """{docstring}"""\n\n'
            f"    def __init__(self):\n{commented(made, 8)}\n\n"
            f"    def forward(self, {arguments}):\n{commented(lines, 8)}\n")


def _encoder(model, pieces, codes):
    body = [piece for piece in pieces if piece.name not in codes]
    heads = [piece for piece in pieces if piece.name in codes]
    chain = Chain("x", model.input_shape)
    chain.add_all(body)
    chain.move_channels(first=False)
    for head in heads:
        chain.members.append(linear(head))
    outputs = ", ".join(f"self.{head.name}(h)" for head in heads) or "h"
    return _module("Encoder", f"x {_batch(model.input_shape)} -> {', '.join(codes)} "
                   f"{_batch((model.latent_dim,))}.", chain.members, "x",
                   [*chain.lines, (f"return {outputs}", "")])


def _decoder(model, pieces):
    if model.name == "TextVAE":
        return _text_decoder(model, pieces)
    chain = Chain("z", (model.latent_dim,))
    chain.add_all(pieces)
    chain.move_channels(first=False)
    return _module("Decoder", f"z {_batch((model.latent_dim,))} -> reconstruction "
                   f"{_batch(pieces[-1].output_shape)}.", chain.members, "z",
                   [*chain.lines, ("return h", "")])


def _text_decoder(model, pieces):
    """Return the decoder of a TextVAE: z starts the GRU, and stands beside the word before."""
    initial, *words, gru = pieces[:[piece.kind for piece in pieces].index("GRU") + 1]
    state = Chain("z", initial.input_shape)
    state.add_all([initial])
    before = Chain("before", words[0].input_shape)
    before.add_all(words)
    choice = Chain("h", gru.output_shape)
    choice.add_all(pieces[pieces.index(gru) + 1:])
    lines = [(state.lines[0][0].replace("h =", "state =", 1), ""),
             *before.lines,
             ("z_at_steps = z[:, None].expand(-1, h.shape[1], -1)", ""),
             ("h = torch.cat([h, z_at_steps], dim=2)", code(gru.input_shape)),
             (f"h, _ = self.{gru.name}(h, state[None])", code(gru.output_shape)),
             *[(line, "") for line, _ in choice.lines],
             ("return h", "")]
    members = [*state.members, *before.members, recurrent_member(gru), *choice.members]
    return _module("Decoder", f"z, the word before each step {_batch((model.steps,))} -> "
                   "probabilities of each word.", members, "z, before", lines)


def _vae(model, codes):
    names = ", ".join(codes)
    lines = [(f"{names} = self.encoder(x)", "")]
    decoded = codes[0]
    if model.name == "TextVAE":
        lines += [(f"end = torch.full_like(x[:, :1], {END})", "the line before ends"),
                  ("before = torch.cat([end, x[:, :-1]], dim=1)", "the word before each step")]
        decoded += ", before"
    lines.append((f"return {names}, self.decoder({decoded})", ""))
    return _module("VAE", f"x -> {names}, and the reconstruction from {codes[0]}.",
                   [("self.encoder = Encoder()", ""), ("self.decoder = Decoder()", "")], "x", lines)


def _batch(shape):
    """Return the shape of a batch, for a docstring."""
    return f"(N, {', '.join(map(str, shape))})"
