"""The fast backend: every operation of the reference in Numba, on all cores."""
from ..arrays import (
    add, add_losses, check_device, copy, empty, fill, flatnonzero, from_host, is_array, rows,
    synchronize, take, to_host, zeros)
from ..reference.sequences import (
    concatenate_backward, concatenate_forward, last_backward, last_forward, mask_steps,
    padding_mask, repeat_backward, repeat_forward, words_before)
from .activations import activation_backward, activation_forward
from .batchnorm import batchnorm_backward, batchnorm_forward, batchnorm_inference, batchnorm_scratch
from .conv2d import conv2d_backward, conv2d_forward, conv2d_scratch
from .conv2d_transpose import (
    conv2d_transpose_backward, conv2d_transpose_forward, conv2d_transpose_scratch)
from .dense import dense_backward, dense_forward, dense_scratch
from .dropout import dropout_backward, dropout_forward
from .embedding import (
    embedding_backward, embedding_forward, onehot_dense_backward, onehot_dense_forward)
from .gru import gru_backward, gru_forward, gru_scratch
from .losses import (
    binary_crossentropy_backward, binary_crossentropy_forward, squared_error_backward,
    squared_error_forward)
from .noise import normal, uniform
from .optimizers import (
    adam_update, clip_by_global_norm, clip_by_global_norm_scratch, rmsprop_update, sgd_update)
from .reparameterize import (
    gaussian_kl_backward, gaussian_kl_forward, reparameterize_backward, reparameterize_forward)
from .threads import describe, set_threads
from .word_losses import (
    onehot_binary_crossentropy_backward, onehot_binary_crossentropy_forward,
    sparse_categorical_crossentropy_backward, sparse_categorical_crossentropy_forward)

NAME = "cpu"
