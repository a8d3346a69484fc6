"""What each part of a training step computes, in a line, and its gradient: the derivations stand in kernels/reference."""
from typing import NamedTuple


class Formula(NamedTuple):
    """A part forwards and backwards."""
    forward: str
    backward: str


ACTIVATIONS = {                 # f, and f' by the output y
    "relu": ("f(z) = max(z, 0)", "f' = 1 where y > 0, else 0"),
    "leaky_relu": ("f(z) = z where z > 0, else a z", "f' = 1 where y > 0, else a"),
    "sigmoid": ("f(z) = 1 / (1 + exp(-z))", "f' = y (1 - y)"),
    "tanh": ("f(z) = tanh(z)", "f' = 1 - y^2"),
    "softmax": ("f(z)_i = exp(z_i) / sum_j exp(z_j)", "dz_j = y_j (dout_j - sum_i dout_i y_i)"),
}
PARTS = {
    "Dense": Formula("y = f(x W + b)", "dz = dout * f'(z),  dW = x^T dz,  db = sum of dz,  dx = dz W^T"),
    "OneHotDense": Formula("y = f(W[i] + b), row i of W", "dz = dout * f'(z),  dW[v] = sum of dz where i = v,  db = sum of dz"),
    "Conv2D": Formula("y = f(sum over taps of x_ab W_ab + b)",
                      "dz = dout * f'(z),  dW_ab = x_ab^T dz,  db = sum of dz,  dx_ab += dz W_ab^T"),
    "Conv2DTranspose": Formula("y_ab += x W_ab^T for each tap, y = f(y + b)",
                               "dz = dout * f'(z),  dW_ab = dz_ab^T x,  db = sum of dz,  dx = sum over taps of dz_ab W_ab"),
    "BatchNormalization": Formula("x^ = (x - mean) / sqrt(variance + epsilon),  y = gamma x^ + beta",
                                  "dgamma = sum of dy x^,  dbeta = sum of dy,  dx = gamma s (dy - dbeta / N - x^ dgamma / N)"),
    "Dropout": Formula("y = x keep / (1 - rate)", "dx = dout keep / (1 - rate), the same keep"),
    "Activation": Formula("y = f(x)", "dx = dout * f'(x)"),
    "Flatten": Formula("y = x, in another shape", "dx = dout, in the shape of x"),
    "Reshape": Formula("y = x, in another shape", "dx = dout, in the shape of x"),
    "RepeatVector": Formula("y_t = x at every step t", "dx = sum over t of dout_t"),
    "Embedding": Formula("y = table[i]", "dtable[v] = sum of dout where i = v"),
    "GRU": Formula("a = x W + b0,  q = h' R + b1,  z = sigmoid(a_z + q_z),  r = sigmoid(a_r + q_r),  c = tanh(a_c + r q_c),  "
                   "h = z h' + (1 - z) c",
                   "dz = (h' - c) dh,  dc = (1 - z) dh,  da_c = (1 - c^2) dc,  dr = q_c da_c,  dq_c = r da_c,  dh' = z dh + dq R^T,  "
                   "dW += x^T da,  dR += h'^T dq,  dx = da W^T"),
    "sampling": Formula("z = mu + sigma eps,  sigma = exp(lv / 2),  eps ~ N(0, 1)", "dmu = dz,  dlv = dz eps sigma / 2"),
    "kl": Formula("KL = -1/2 sum_j (1 + lv - mu^2 - exp(lv))", "dmu += weight mu / N,  dlv += weight (exp(lv) - 1) / 2N"),
    "binary_crossentropy": Formula("p = sigmoid(l),  loss = scale * mean of (-t log p - (1 - t) log(1 - p))", "dl = (p - t) scale / (D N)"),
    "squared_error": Formula("y = f(l),  loss = scale * mean of (y - t)^2", "dl = 2 (y - t) f'(l) scale / (D N)"),
    "sparse_categorical_crossentropy": Formula("loss = scale * mean over t of -log softmax(l)[word t]",
                                               "dl = (softmax(l) - one-hot) scale / (N T)"),
    "onehot_binary_crossentropy": Formula("loss = scale * mean of the cross-entropies of sigmoid(l) with the one-hot word",
                                          "dl = (sigmoid(l) - one-hot) scale / (N V)"),
    "SGD": Formula("velocity = momentum velocity - rate g,  w += velocity", ""),
    "RMSprop": Formula("v = rho v + (1 - rho) g^2,  w -= rate g / sqrt(v + epsilon)", ""),
    "Adam": Formula("m += (1 - beta_1) (g - m),  v += (1 - beta_2) (g^2 - v),  w -= alpha m / (sqrt(v) + epsilon)", ""),
}
PARTS["Bidirectional"] = Formula(f"two GRUs, one from each end, side by side: {PARTS['GRU'].forward}", PARTS["GRU"].backward)


def formula(place, owner):
    """The Formula of a part; a layer of a class that is not listed has the first line of its docstring."""
    kind = kind_of(place, owner)
    if kind not in PARTS:
        return Formula((type(owner).__doc__ or kind).strip().splitlines()[0], "")
    activation = getattr(owner, "activation", "linear").partition("(")[0]
    forward, backward = PARTS[kind]
    if kind.endswith("_crossentropy"):                      # a loss whose activation is part of its own formula
        return PARTS[kind]
    if activation == "linear":
        return Formula(forward.replace("f(l)", "l").replace("y = f(sum over taps of x_ab W_ab + b)", "y = sum over taps of x_ab W_ab + b")
                       .replace("y = f(y + b)", "y = y + b").replace("f(x W + b)", "x W + b").replace("f(W[i] + b)", "W[i] + b"),
                       backward.replace("dz = dout * f'(z)", "dz = dout").replace(" f'(l)", ""))
    f, derivative = ACTIVATIONS[activation]
    return Formula(f"{forward},  {f}", f"{backward},  {derivative}")


def kind_of(place, owner):
    """What a part is: a layer's class, the loss's name, the optimizer's class, sampling or kl."""
    if place in ("sampling", "kl"):
        return place
    return owner.name if place == "loss" else type(owner).__name__
