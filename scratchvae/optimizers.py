"""Adam, RMSprop and gradient descent with Keras's names, defaults and formulas (kernels/reference/optimizers.py has them)."""
import inspect

import numpy as np

from .errors import ScratchVAEError


class Optimizer:
    """Updates a model's flat array of parameters from its flat array of gradients.

    `slots` are its own flat arrays, by name, and `step` counts its updates: together with the parameters they are all there is
    to a state of training.
    """
    slot_names = ()

    def __init__(self, learning_rate, global_clipnorm):
        self.learning_rate = _check("learning_rate", learning_rate, 0, float("inf"))
        self.global_clipnorm = None if global_clipnorm is None else _check("global_clipnorm", global_clipnorm, 0, float("inf"))

    def build(self, parameters, kernels):
        """Begin anew on these parameters (scratchvae.parameters.Parameters)."""
        self.parameters = parameters
        self.kernels = kernels
        self.slots = {name: kernels.zeros(parameters.values.shape, parameters.values.dtype) for name in self.slot_names}
        self._clip_scratch = kernels.clip_by_global_norm_scratch(parameters.values.dtype)
        self.step = 0

    def update(self):
        """One step down the gradient, which is shortened to global_clipnorm before if it is longer."""
        self.step += 1
        if self.global_clipnorm is not None:
            self.kernels.clip_by_global_norm(self.parameters.gradients, self.global_clipnorm, self._clip_scratch)
        self._update(self.parameters.values, self.parameters.gradients, *self.slots.values())

    def get_config(self):
        """The arguments that make it again, with its class's name."""
        return {"class": type(self).__name__} | {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}


class SGD(Optimizer):
    """velocity = momentum * velocity - learning_rate * g;  w += velocity."""
    slot_names = ("velocity",)

    def __init__(self, learning_rate=0.01, momentum=0.0, global_clipnorm=None):
        super().__init__(learning_rate, global_clipnorm)
        self.momentum = _check("momentum", momentum, 0, 1)

    def _update(self, w, g, velocity):
        self.kernels.sgd_update(w, g, velocity, self.learning_rate, self.momentum)


class RMSprop(Optimizer):
    """v = rho v + (1 - rho) g^2;  w -= learning_rate * g / sqrt(v + epsilon)   (Tieleman & Hinton 2012)."""
    slot_names = ("v",)

    def __init__(self, learning_rate=0.001, rho=0.9, epsilon=1e-7, global_clipnorm=None):
        super().__init__(learning_rate, global_clipnorm)
        self.rho = _check("rho", rho, 0, 1)
        self.epsilon = _check("epsilon", epsilon, 0, 1)

    def _update(self, w, g, v):
        self.kernels.rmsprop_update(w, g, v, self.learning_rate, self.rho, self.epsilon)


class Adam(Optimizer):
    """w -= alpha m / (sqrt(v) + epsilon), m and v running means of g and g^2, alpha correcting their start   (Kingma & Ba 2015)."""
    slot_names = ("m", "v")

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, global_clipnorm=None):
        super().__init__(learning_rate, global_clipnorm)
        self.beta_1 = _check("beta_1", beta_1, 0, 1)
        self.beta_2 = _check("beta_2", beta_2, 0, 1)
        self.epsilon = _check("epsilon", epsilon, 0, 1)

    def _update(self, w, g, m, v):
        self.kernels.adam_update(w, g, m, v, self.learning_rate, self.beta_1, self.beta_2, self.epsilon, self.step)


def _check(name, value, low, high):
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not low <= value < high:
        raise ScratchVAEError(f"optimizer: {name} is {value!r}; allowed: numbers from {low} up to, not including, {high}")
    return float(value)
