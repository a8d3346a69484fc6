"""Optimizers: one step downhill, on flat arrays, with the update rules of Keras 3.

All parameters of a model lie in one array w of length P (`parameters`), and their gradients in
another one, g (`gradients`). Optimizers update parameters and running averages in place.

Known
-----
    SGD      u = momentum u - learning_rate g             u is called `velocity`
             w = w + u

    RMSprop  v = rho v + (1 - rho) g^2
             w = w - learning_rate g / sqrt(v + epsilon)

    Adam     m = beta_1 m + (1 - beta_1) g
             v = beta_2 v + (1 - beta_2) g^2
             w = w - alpha m / (sqrt(v) + epsilon)         alpha: see question 3

    AdamW    w = w - rate w, before Adam's step            rate: see question 5

    Clipping by the global norm: if the Euclidean norm of all gradients together is above clipnorm,
    scale them all by one factor, so that their norm is clipnorm.

Each line uses the result of the line above it. Powers, roots and quotients are taken
element by element.

Sought
------
There is no backward pass here, but there are reasons to find.

1. SGD: let g be the same in every step. At which u does the velocity stay the same? So how much
   longer do the steps become with momentum 0.9 than with 0?
2. RMSprop: multiply all gradients by 1000 (and neglect epsilon). What happens to v, once it has
   forgotten its start, and what to the step? Where does epsilon matter?
3. Adam: m and v start at 0. Let g be the same in every step. Unroll m over t steps: it is g times a
   sum of weights (1 - beta_1) beta_1^i, i = 0 ... t - 1. What is this sum in closed form? So by
   what must m be divided, to be an unbiased mean of the gradients? The same for v.
   Now alpha: choose it so that, with epsilon = 0, the step is learning_rate times the corrected m
   over the square root of the corrected v. t is the argument `step`; it counts from 1.
   Check: how large is the first step, and does it depend on the size of g?
4. Clipping: why one factor for all gradients, rather than one for each? What stays the same about
   the step?

5. Weight decay: a penalty d w^2 / 2 in the loss adds d w to each gradient, and Adam divides it by
   sqrt(v) like the rest. Which weights does it pull on least? AdamW takes the pull out of the
   gradient: it subtracts it from w, with the step size learning_rate and the factor d. So what is
   `rate`, and by which factor has a weight without any gradient shrunk after t steps?

`flush_denormals` is given: the average of a gradient that stays zero decays to numbers so small
that processors are tens of times slower on them. Call it on each average after its update. It
changes no result that you could see.
"""
import numpy as np


def sgd_update(parameters, gradients, velocity, learning_rate, momentum):
    """Make one step of gradient descent with momentum.

    Inputs
    ------
    gradients : (P,)
    learning_rate, momentum : float

    Updated in place
    ----------------
    parameters : (P,)
    velocity : (P,)
    """
    raise NotImplementedError


def rmsprop_update(parameters, gradients, v, learning_rate, rho, epsilon):
    """Make one step of RMSprop (Tieleman & Hinton 2012).

    Inputs
    ------
    gradients : (P,)
    learning_rate, rho, epsilon : float

    Updated in place
    ----------------
    parameters : (P,)
    v : (P,)
        The running average of the squared gradients.
    """
    raise NotImplementedError


def adam_update(parameters, gradients, m, v, learning_rate, beta_1, beta_2, epsilon, step):
    """Make one step of Adam (Kingma & Ba 2015).

    Inputs
    ------
    gradients : (P,)
    learning_rate, beta_1, beta_2, epsilon : float
    step : int
        The number of this step; the first is 1.

    Updated in place
    ----------------
    parameters : (P,)
    m : (P,)
        The running average of the gradients.
    v : (P,)
        The running average of the squared gradients.
    """
    raise NotImplementedError


def decay_weights(parameters, rate):
    """Pull all parameters towards zero, as AdamW does before its step (Loshchilov & Hutter 2019).

    Inputs
    ------
    rate : float
        The part of each parameter that goes away.

    Updated in place
    ----------------
    parameters : (P,)
    """
    raise NotImplementedError


def clip_by_global_norm(gradients, clipnorm, scratch):
    """Scale all gradients down if their norm exceeds clipnorm (Pascanu et al. 2013).

    Inputs
    ------
    clipnorm : float

    Updated in place
    ----------------
    gradients : (P,)
        There may be millions. Sum their squares in float64 (np.square and np.sum take dtype=): a
        sum in float32 loses digits.
    """
    raise NotImplementedError


def flush_denormals(average):
    """Set to zero what decayed below the normal range. This function is given."""
    average[np.abs(average) < np.finfo(average.dtype).tiny] = 0
