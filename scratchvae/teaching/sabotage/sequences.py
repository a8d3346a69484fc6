"""Mistakes with words and in recurrent layers."""
from ...layers import GRU, LSTM, Bidirectional, Embedding
from ...models import Sequential
from . import checks
from .plant import Edit, Mistake

MISTAKES = (
    Mistake(
        "embedding-overwrite",
        "the gradients of a repeated word overwrite each other",
        (Edit("embedding_backward", "np.add.at(dtable, indices, dout)", "dtable[indices] = dout"),),
        "a row that was read twice receives two gradients, and they must be added. Only examples "
        "with repeated words show the mistake: this check draws four words from three, so that "
        "one of them repeats",
        checks.layer(lambda: Embedding(5, 3), (4,)),
    ),
    Mistake(
        "words-not-shifted",
        "the decoder's words not shifted by one step",
        (Edit("words_before", "indices[:, :-1]", "indices[:, 1:]"),),
        "the decoder reads the word that it must predict. Words have no gradient, so all gradients "
        "are right, and the loss falls faster than ever. In generation there is no word to copy",
        checks.lab("shakespeare-vae"),
        checks.beside_another("words_before"),
        checks.BESIDE,
    ),
    Mistake(
        "gru-reset",
        "the reset gate missing from the GRU's backward pass",
        (Edit("gru_backward", "dq[:, t, 2 * U:] = r * da[:, t, 2 * U:]",
              "dq[:, t, 2 * U:] = da[:, t, 2 * U:]"),),
        "the forward pass multiplies q_c by r, so the gradient of q_c has the factor r. Without "
        "it, states receive a gradient for contributions that the gate had blocked",
        checks.layer(lambda: GRU(3, return_sequences=True), (4, 5)),
    ),
    Mistake(
        "gru-gates-swapped",
        "z and 1 - z exchanged in the GRU, forward and backward",
        (
            Edit("gru_forward", "z * h + (1 - z) * c, h)", "(1 - z) * h + z * c, h)"),
            Edit("gru_backward", "dz = (before - c) * dh", "dz = (c - before) * dh"),
            Edit("gru_backward", "dc = (1 - z) * dh", "dc = z * dh"),
            Edit("gru_backward", "dbefore = z * dh\n", "dbefore = (1 - z) * dh\n"),
        ),
        "this is the right gradient of a different recurrent layer, which learns equally well. "
        "But its weights mean something else: weights from another framework give other states",
        checks.layer(lambda: GRU(3, return_sequences=True), (4, 5)),
        checks.golden_group("gru/states"),
        checks.GOLDEN,
    ),
    Mistake(
        "gru-tanh",
        "tanh's derivative missing from the GRU's backward pass",
        (Edit("gru_backward", "(1 - c * c) * dc", "dc"),),
        "the candidate is c = tanh(...), so its gradient has the factor 1 - c^2. For small c it is "
        "near 1, and with small weights the mistake is small, too: relative errors show it, a look "
        "at the numbers does not",
        checks.layer(lambda: GRU(3, return_sequences=True), (4, 5)),
    ),
    Mistake(
        "gru-mask-backward",
        "the mask ignored in the GRU's backward pass alone",
        (Edit("gru_backward", "np.where(mask[:, t, np.newaxis], 0, dh)", "np.zeros_like(dh)"),),
        "at a step that is skipped, the state's gradient must pass unchanged, and no gate receives "
        "any. Without padding no step is skipped: only lines that hold the word 0 show it",
        checks.layer(lambda: Sequential([Embedding(5, 3, mask_zero=True), GRU(3)]), (4,)),
    ),
    Mistake(
        "gru-mask",
        "the mask ignored in the GRU, forward and backward",
        (
            Edit("gru_forward", "np.where(mask[:, t, np.newaxis], z * h + (1 - z) * c, h)",
                 "z * h + (1 - z) * c"),
            Edit("gru_backward", "np.where(mask[:, t, np.newaxis], 0, dh)", "np.zeros_like(dh)"),
        ),
        "this is the right gradient of a GRU that reads the padding like words. The state after a "
        "short line then depends on how long the longest line is. Numbers of a GRU with a mask "
        "show it",
        checks.layer(lambda: Sequential([Embedding(5, 3, mask_zero=True), GRU(3)]), (4,)),
        checks.golden_group("gru/masked states"),
        checks.GOLDEN,
    ),
    Mistake(
        "gru-direction",
        "the GRU's backward pass in the wrong order if the forward pass goes backwards",
        (Edit("gru_backward", "time_steps(T, go_backwards)", "time_steps(T, False)"),),
        "a gradient runs through the steps in the reverse order of the forward pass. With "
        "go_backwards that is the first step first. Only a layer that reads in both directions, or "
        "backwards, shows it",
        checks.layer(lambda: Bidirectional(GRU(2, return_sequences=True)), (4, 3)),
    ),
    Mistake(
        "lstm-cell",
        "the cell's gradient not multiplied by the forget gate",
        (Edit("lstm_backward", "dc = f * dc + dc_skipped", "dc = dc + dc_skipped"),),
        "the cell is c = f c' + i g, so the gradient of c' has the factor f. The gradient of the "
        "last step is right, and the error grows from step to step. A check with a single step "
        "would see it in dinitial_cell only",
        checks.layer(lambda: LSTM(3, return_sequences=True), (4, 5)),
    ),
    Mistake(
        "lstm-gates-swapped",
        "the gates i and f exchanged in the LSTM, forward and backward",
        (
            Edit("lstm_forward", "i, f, g, o = np.split", "f, i, g, o = np.split"),
            Edit("lstm_backward", "i, f, g, o = np.split", "f, i, g, o = np.split"),
            Edit("lstm_backward", "(i * (1 - i) * di, f * (1 - f) * df,",
                 "(f * (1 - f) * df, i * (1 - i) * di,"),
        ),
        "this is the right gradient of the same layer with the gates in another order, and it "
        "learns equally well. But weights of another framework give other states. Frameworks do "
        "differ here: Keras has i, f, g, o and ONNX has i, o, f, g",
        checks.layer(lambda: LSTM(3, return_sequences=True), (4, 5)),
        checks.golden_group("layer/LSTM/states"),
        checks.GOLDEN,
    ),
)
