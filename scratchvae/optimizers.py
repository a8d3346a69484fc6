"""Adam, AdamW, RMSprop and gradient descent with Keras's names, defaults and formulas.

kernels/reference/optimizers.py has the update rules.
"""
import inspect

from . import checks, schedules
from .layers.formulas import Formula


class Optimizer:
    """Updates a model's flat array of parameters from its flat array of gradients.

    Together with the parameters, `slots`, `step` and `reduced_rate` are the whole state of
    training.

    Parameters
    ----------
    learning_rate : float or schedule
        See scratchvae.schedules.
    global_clipnorm : float or None
        If the norm of all gradients together is larger, they are scaled down to it.

    Attributes
    ----------
    slots : dict of name -> flat array
        Running averages.
    step : int
        How many updates were made.
    reduced_rate : float or None
        What ReduceLROnPlateau put in the place of learning_rate.
    """
    slot_names = ()
    reduced_rate = None

    def __init__(self, learning_rate, global_clipnorm):
        self.learning_rate = schedules.learning_rate(type(self).__name__, learning_rate)
        self.global_clipnorm = global_clipnorm
        if global_clipnorm is not None:
            self.global_clipnorm = self._number("global_clipnorm", global_clipnorm)

    def _number(self, name, value, low=0, high=float("inf")):
        return checks.number(type(self).__name__, name, value, low, high)

    def build(self, parameters, kernels, last=None):
        """Begin with a model.

        Parameters
        ----------
        parameters : Parameters
            The model's (scratchvae.layers.parameters).
        kernels : module
            The backend.
        last : Optimizer, optional
            One of the same arguments that this one goes on from, perhaps itself. By default the
            slots are empty.
        """
        self.parameters = parameters
        self.kernels = kernels
        values = parameters.values
        self._scratch = kernels.clip_by_global_norm_scratch(values.size, values.dtype)
        if last is None:
            self.slots = {name: kernels.zeros(values.shape, values.dtype)
                          for name in self.slot_names}
            self.step = 0
            self.reduced_rate = None
        else:
            self.slots = {name: kernels.from_host(slot) for name, slot in last.slots.items()}
            self.step = last.step
            self.reduced_rate = last.reduced_rate

    def __getstate__(self):
        """Copy and pickle the arguments and the slots, not the model."""
        state = {name: value for name, value in vars(self).items()
                 if name not in ("parameters", "kernels", "_scratch")}
        if "slots" in state:
            state["slots"] = {name: self.kernels.to_host(slot).copy()
                              for name, slot in self.slots.items()}
        return state

    @property
    def rate(self):
        """The learning rate of the last step; before the first, that of the first."""
        if self.reduced_rate is not None:
            return self.reduced_rate
        if callable(self.learning_rate):
            return self.learning_rate(max(self.step - 1, 0))
        return self.learning_rate

    def update(self):
        """Make one step down the gradient."""
        self.step += 1
        values = self.parameters.values
        gradients = self.parameters.gradients
        if self.global_clipnorm is not None:
            self.kernels.clip_by_global_norm(gradients, self.global_clipnorm, self._scratch)
        self._update(values, gradients, *self.slots.values())

    def get_config(self):
        """Return the arguments that make it again, with its class's name."""
        arguments = inspect.signature(type(self)).parameters
        config = {"class": type(self).__name__}
        config |= {name: getattr(self, name) for name in arguments}
        if callable(self.learning_rate):
            config["learning_rate"] = schedules.get_config(self.learning_rate)
        return config


class SGD(Optimizer):
    """velocity = momentum * velocity - learning_rate * g;  w += velocity.

    Parameters
    ----------
    learning_rate : float or schedule
    momentum : float
        From 0 and below 1.
    global_clipnorm : float or None
    """
    slot_names = ("velocity",)
    formula = Formula("velocity = momentum velocity - rate g,  w += velocity", "")

    def __init__(self, learning_rate=0.01, momentum=0.0, global_clipnorm=None):
        super().__init__(learning_rate, global_clipnorm)
        self.momentum = self._number("momentum", momentum, 0, 1)

    def _update(self, w, g, velocity):
        self.kernels.sgd_update(w, g, velocity, self.rate, self.momentum)


class RMSprop(Optimizer):
    """v = rho v + (1 - rho) g^2;  w -= learning_rate * g / sqrt(v + epsilon).

    Tieleman & Hinton 2012.

    Parameters
    ----------
    learning_rate : float or schedule
    rho, epsilon : float
        From 0 and below 1.
    global_clipnorm : float or None
    """
    slot_names = ("v",)
    formula = Formula("v = rho v + (1 - rho) g^2,  w -= rate g / sqrt(v + epsilon)", "")

    def __init__(self, learning_rate=0.001, rho=0.9, epsilon=1e-7, global_clipnorm=None):
        super().__init__(learning_rate, global_clipnorm)
        self.rho = self._number("rho", rho, 0, 1)
        self.epsilon = self._number("epsilon", epsilon, 0, 1)

    def _update(self, w, g, v):
        self.kernels.rmsprop_update(w, g, v, self.rate, self.rho, self.epsilon)


class Adam(Optimizer):
    """w -= alpha m / (sqrt(v) + epsilon), with running means m and v of g and g^2.

    alpha corrects for their start at 0. Kingma & Ba 2015.

    Parameters
    ----------
    learning_rate : float or schedule
    beta_1, beta_2, epsilon : float
        From 0 and below 1.
    global_clipnorm : float or None
    """
    slot_names = ("m", "v")
    formula = Formula("m += (1 - beta_1) (g - m),  v += (1 - beta_2) (g^2 - v),  "
                      "w -= alpha m / (sqrt(v) + epsilon)", "")

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7,
                 global_clipnorm=None):
        super().__init__(learning_rate, global_clipnorm)
        self.beta_1 = self._number("beta_1", beta_1, 0, 1)
        self.beta_2 = self._number("beta_2", beta_2, 0, 1)
        self.epsilon = self._number("epsilon", epsilon, 0, 1)

    def _update(self, w, g, m, v):
        self.kernels.adam_update(w, g, m, v, self.rate, self.beta_1, self.beta_2,
                                 self.epsilon, self.step)


class AdamW(Adam):
    """Adam on weights that decay: w -= learning_rate * weight_decay * w, before Adam's step.

    In the loss, a penalty on w^2 would be divided by sqrt(v) like all gradients, so that weights of
    large gradients decay less. Apart from the loss, all decay alike. Loshchilov & Hutter 2019,
    "Decoupled weight decay regularization".

    Parameters
    ----------
    learning_rate : float or schedule
    weight_decay : float
    beta_1, beta_2, epsilon : float
        From 0 and below 1.
    global_clipnorm : float or None
    """
    formula = Formula(f"w -= rate weight_decay w,  {Adam.formula.forward}", "")

    def __init__(self, learning_rate=0.001, weight_decay=0.004, beta_1=0.9, beta_2=0.999,
                 epsilon=1e-7, global_clipnorm=None):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, global_clipnorm)
        self.weight_decay = self._number("weight_decay", weight_decay)

    def _update(self, w, g, m, v):
        if self.weight_decay:
            self.kernels.decay_weights(w, self.rate * self.weight_decay)
        super()._update(w, g, m, v)
