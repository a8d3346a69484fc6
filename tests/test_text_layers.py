"""The layers of words and sequences: gradients by differences, masks, and what they refuse."""

import numpy as np
import pytest
from helpers import HOSTS, MASK, built, close
from scratchvae.kernels.errors import ScratchVAEError

from scratchvae import kernels
from scratchvae.gradcheck.check import check_layer, compare
from scratchvae.layers import (
    GRU,
    Activation,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    OneHotDense,
    RepeatVector,
    Reshape,
)
from scratchvae.models import VAE, Sequential, TextVAE
from scratchvae.objectives import ELBO
from scratchvae.optimizers import Adam

REFERENCE = kernels.load("reference")
CPU = kernels.load("cpu")


# Gradients of layers


@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize(
    "make, input_shape",
    [
        (lambda: Embedding(4, 3), (3,)),
        (lambda: Embedding(4, 3, mask_zero=True), (2, 2)),
        (lambda: OneHotDense(3, 4), (1,)),
        (lambda: OneHotDense(3, 4, "sigmoid"), (1,)),
        (lambda: GRU(3), (1, 2)),
        (lambda: GRU(2, return_sequences=True), (3, 4)),
        (lambda: Bidirectional(GRU(2)), (3, 2)),
        (lambda: Bidirectional(GRU(2, return_sequences=True)), (3, 2)),
        (lambda: RepeatVector(3), (4,)),
        (lambda: Dense(4, "tanh"), (3, 5)),
        (lambda: Dense(3, "softmax"), (2, 2, 3)),
        (
            lambda: [Dense(3), RepeatVector(2), GRU(2, return_sequences=True), Dense(4, "softmax")],
            (2,),
        ),
        (
            lambda: [
                Embedding(4, 2, mask_zero=True),
                Bidirectional(GRU(2, return_sequences=True)),
                Dropout(0.3),
                GRU(2),
            ],
            (3,),
        ),
        (
            lambda: [
                Embedding(4, 2, mask_zero=True),
                Dropout(0.3),
                GRU(2, return_sequences=True),
                Activation("sigmoid"),
            ],
            (3,),
        ),
    ],
)
def test_gradients(make, input_shape, name):
    layers = make()
    layer = Sequential(layers) if isinstance(layers, list) else layers
    for member in layers if isinstance(layers, list) else [layer]:
        member.backend = name
    report = check_layer(layer, input_shape)
    assert report.passed, report


@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("kind", ["forward", "backward", "bidirectional"])
def test_gradients_with_masks(kind, return_sequences, name, rng):
    """Of the initial state, too, where a layer takes one."""
    layer = GRU(3, return_sequences, dtype="float64")
    if kind == "bidirectional":
        layer = Bidirectional(layer, dtype="float64")
    layer.backend = name
    layer.build((5, 2))
    layer.mask = MASK
    layer.go_backwards = kind == "backward"
    for parameter in layer.params.values():
        parameter += 0.3 * rng.standard_normal(parameter.shape)
    x = rng.standard_normal((6, 5, 2))
    dout = rng.standard_normal((6, *layer.output_shape))
    arrays = {}
    if kind != "bidirectional":
        arrays["initial_state"] = rng.standard_normal((6, 3))

    def loss():
        return np.sum(dout * layer.forward(x, True, **arrays))

    loss()
    gradients = {
        "x": layer.backward(dout),
        "initial_state": getattr(layer, "dinitial_state", None),
    } | layer.grads
    gradients = {name: gradient for name, gradient in gradients.items() if gradient is not None}
    rows = compare(loss, {"x": x} | arrays | layer.params, gradients)
    assert len(rows) == (7 if kind == "bidirectional" else 5) and all(row.passed for row in rows), (
        rows
    )


def test_a_forgotten_reset_gate_is_found():
    """The gradient check is sharp enough: dq_c = da_c, without r, is wrong."""

    class Forgetful(GRU):
        """Its reset gate is 1, as far as the gradient is concerned."""

        def backward(self, dout, need_dx=True):
            _, work = self._scratch["gru"]
            getattr(work, "memory", work).gates[..., self.units :] = 1
            return super().backward(dout, need_dx)

    for name in HOSTS:
        layer = Forgetful(2, return_sequences=True)
        layer.backend = name
        wrong = {row.parameter for row in check_layer(layer, (3, 2)).rows if not row.passed}
        assert wrong == {"kernel", "recurrent_kernel", "bias", "input"}


# Layers


def test_padding_is_skipped_and_only_with_mask_zero():
    words = np.array([[3, 1, 4, 0, 0]], np.int32)
    for mask_zero in (False, True):
        for last in (GRU(4), Bidirectional(GRU(4))):
            chain = Sequential(
                [
                    Embedding(5, 3, mask_zero=mask_zero),
                    Bidirectional(GRU(2, return_sequences=True)),
                    Dropout(0.5),
                    last,
                ]
            )
            chain.build((5,))
            long = chain.forward(words)
            early = chain.forward(np.roll(words, 2, axis=1))
            short = Sequential([*chain.layers.values()])
            short.build((3,))
            short.set_weights(chain.get_weights())
            expected = short.forward(words[:, :3].copy())
            assert (
                np.allclose(long, expected, rtol=1e-5)
                == np.allclose(early, expected, rtol=1e-5)
                == mask_zero
            )


def test_a_mask_is_of_its_own_forward_pass():
    chain = Sequential([Embedding(5, 3, mask_zero=True), GRU(4)])
    chain.build((3,))
    first = chain.forward(np.array([[1, 2, 3]], np.int32)).copy()
    chain.forward(np.array([[0, 0, 3]], np.int32))
    np.testing.assert_array_equal(chain.forward(np.array([[1, 2, 3]], np.int32)), first)
    np.testing.assert_array_equal(
        chain.layers["gru"].forward(
            chain.layers["embedding"].forward(np.array([[1, 2, 3]], np.int32))
        ),
        first,
    )


def test_bidirectional_is_two_layers_side_by_side(rng):
    for return_sequences in (False, True):
        both = Bidirectional(GRU(3, return_sequences))
        both.build((5, 2), seed=4)
        assert list(both.params) == [
            f"{direction}/{name}"
            for direction in ("forward", "backward")
            for name in ("kernel", "recurrent_kernel", "bias")
        ]
        assert not np.array_equal(both.params["forward/kernel"], both.params["backward/kernel"])
        x = rng.standard_normal((4, 5, 2)).astype(np.float32)
        weights = both.get_weights()
        one, other = (
            built(GRU(3, return_sequences), (5, 2), part, "float32", "cpu")
            for part in (weights[:3], weights[3:])
        )
        back = other.forward(np.ascontiguousarray(x[:, ::-1]))
        expected = np.concatenate(
            [one.forward(x), back[:, ::-1] if return_sequences else back], axis=-1
        )
        np.testing.assert_allclose(both.forward(x), expected, rtol=1e-5, atol=1e-6)


def test_one_step_of_a_layer_equals_the_sequence(rng):
    layer = built(
        GRU(4, return_sequences=True),
        (5, 3),
        [rng.standard_normal(s) for s in ((3, 12), (4, 12), (2, 12))],
        "float64",
        "cpu",
    )
    x = rng.standard_normal((2, 5, 3))
    state = rng.standard_normal((2, 4))
    states = layer.forward(x, initial_state=state)
    for t in range(5):
        state = layer.step(np.ascontiguousarray(x[:, t]), state)
        np.testing.assert_allclose(state, states[:, t], rtol=1e-12)


def test_dense_on_steps_is_dense_on_rows(rng):
    x = rng.standard_normal((3, 4, 2, 5))
    dout = rng.standard_normal((3, 4, 2, 7))
    weights = [rng.standard_normal((5, 7)), rng.standard_normal(7)]
    steps, rows = (
        built(Dense(7, "softmax"), shape, weights, "float64", "cpu") for shape in ((4, 2, 5), (5,))
    )
    close(steps.forward(x).reshape(24, 7), rows.forward(x.reshape(24, 5)), 1e-14)
    close(steps.backward(dout).reshape(24, 5), rows.backward(dout.reshape(24, 7)), 1e-14)
    for one, other in zip(steps.grads.values(), rows.grads.values(), strict=True):
        close(one, other, 1e-14)


def test_repeat_vector(rng):
    layer = built(RepeatVector(3), (2,), [], "float64", "cpu")
    x = rng.standard_normal((4, 2))
    dout = rng.standard_normal((4, 3, 2))
    np.testing.assert_array_equal(layer.forward(x), np.stack([x, x, x], axis=1))
    np.testing.assert_allclose(layer.backward(dout), dout[:, 0] + dout[:, 1] + dout[:, 2])


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: GRU(0), "GRU: units must be a positive integer, got 0"),
        (lambda: GRU(2, recurrent_initializer="he"), "unknown initializer 'he'"),
        (lambda: GRU(2).build((3,)), r"GRU: input_shape must be \(steps, features\), got "
                                     r"\(3,\)"),
        (
            lambda: Bidirectional(Dense(3)),
            r"Bidirectional: layer must be a recurrent layer such as GRU\(8\), got <scratchvae",
        ),
        (lambda: Embedding(0, 3), "Embedding: input_dim must be a positive integer, got 0"),
        (lambda: Embedding(3, 1.5), r"Embedding: output_dim must be a positive integer, got "
                                    r"1\.5"),
        (lambda: OneHotDense(3, 0), "OneHotDense: units must be a positive integer, got 0"),
        (lambda: OneHotDense(-1, 2), "OneHotDense: depth must be a positive integer, got -1"),
        (lambda: OneHotDense(3, 2, "selu"), "unknown activation 'selu'"),
        (
            lambda: OneHotDense(3, 2).build((2,)),
            r"OneHotDense: input_shape must be \(1,\), the index of a word, got \(2,\)",
        ),
        (lambda: RepeatVector(0), "RepeatVector: n must be a positive integer, got 0"),
        (
            lambda: RepeatVector(2).build((3, 4)),
            r"RepeatVector: input_shape must be \(features\), got \(3, 4\)",
        ),
        (
            lambda: built(Embedding(3, 2), (2,), [np.zeros((3, 2))], "float32", "cpu").forward(
                np.zeros((1, 2), np.float32)
            ),
            r"Embedding: x must be a int32 array of shape \(N, 2\), got a float32 array of "
            r"shape \(1, 2\)",
        ),
        (
            lambda: built(Embedding(3, 2), (2,), [np.zeros((3, 2))], "float32", "cpu").forward(
                np.zeros((1, 2), np.int64)
            ),
            r"Embedding: x must be a int32 array of shape \(N, 2\), got a int64 array of "
            r"shape \(1, 2\)",
        ),
        (
            lambda: built(Embedding(3, 2), (2,), [np.zeros((3, 2))], "float32", "cpu").forward(
                np.array([[0, 3]], np.int32)
            ),
            "embedding_forward: indices: index 3 is out of range; allowed: 0 to 2",
        ),
        (
            lambda: built(
                OneHotDense(3, 1), (1,), [np.zeros((3, 1)), [0]], "float32", "cpu"
            ).forward(np.array([[-1]], np.int32)),
            "onehot_dense_forward: indices: index -1 is out of range; allowed: 0 to 2",
        ),
        (
            lambda: Adam(global_clipnorm=-1),
            "Adam: global_clipnorm must be a number of at least 0, got -1",
        ),
        (lambda: TextVAE(9, 4, 2, 3, 3, word_dropout=1.0), r"TextVAE: word_dropout must be in "
                                                           r"\[0, 1\), got 1\.0"),
        (lambda: ELBO(free_bits=-1), "objective: free_bits must be a number "
                                                       "of at least 0, got -1"),
        (lambda: TextVAE(9, 0, 2, 3, 3), "TextVAE: steps must be an integer of at least 2, "
                                         "got 0"),
        (lambda: TextVAE(9, 4, 0, 3, 3), "TextVAE: latent_dim must be a positive integer, "
                                         "got 0"),
        (
            lambda: TextVAE(9, 4, 2, 3, 3).build((5,)),
            r"TextVAE: input_shape must be \(4,\), the steps, got \(5,\)",
        ),
        (
            lambda: VAE([OneHotDense(3, 2)], 2, [Dense(3)], "onehot_binary_crossentropy"),
            "onehot_binary_crossentropy: the decoder must end in the activation sigmoid, got "
            "linear",
        ),
        (
            lambda: VAE(
                [Embedding(3, 2), GRU(2)],
                2,
                [Dense(3, "sigmoid")],
                "sparse_categorical_crossentropy",
            ),
            "sparse_categorical_crossentropy: the decoder must end in the activation "
            "softmax, got sigmoid",
        ),
        (
            lambda: VAE(
                [OneHotDense(3, 2)], 2, [Dense(3, "softmax")], "sparse_categorical_crossentropy"
            ).build((1,)),
            r"sparse_categorical_crossentropy: the decoder's output must have the axes steps, "
            r"words, got shape \(3,\)",
        ),
        (
            lambda: VAE(
                [OneHotDense(3, 2)],
                2,
                [Dense(4), Reshape((2, 2)), Activation("sigmoid")],
                "onehot_binary_crossentropy",
            ).build((1,)),
            r"onehot_binary_crossentropy: the decoder's output must have the axes words, got "
            r"shape \(2, 2\)",
        ),
        (
            lambda: VAE(
                [Embedding(3, 2), GRU(2)],
                2,
                [RepeatVector(4), Dense(3, "softmax")],
                "sparse_categorical_crossentropy",
            ).build((5,)),
            r"VAE: the decoder's output has shape \(4, 3\), which does not reconstruct an "
            r"example of shape \(5,\)",
        ),
        (
            lambda: VAE(
                [Embedding(3, 2)],
                2,
                [RepeatVector(4), Dense(3, "softmax")],
                "sparse_categorical_crossentropy",
            ).build((4,)),
            r"VAE: the encoder's output must have one axis, got shape \(4, 2\); put a Flatten "
            r"at its end",
        ),
    ],
)
def test_wrong_use_gets_one_clear_line(make, message):
    with pytest.raises(ScratchVAEError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)
