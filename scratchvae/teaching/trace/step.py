"""A recording of one training step: its calls in their order, with portraits of their arrays."""
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from .portrait import portray
from .tap import tapped

SYMBOLS = {                     # arrays of operations, and what formulas call them
    "z_mean": "mu",
    "z_log_var": "lv",
    "dz_mean": "dmu",
    "dz_log_var": "dlv",
    "kl": "KL",
}
STUCK_ERROR = 0.5               # an output is stuck if it is off by more
STUCK_SLOPE = 0.01              # and y (1 - y) is below this


@dataclass
class Event:
    """A call of a step.

    Attributes
    ----------
    place : str
        A layer's path, "loss", "sampling", "kl" or "optimizer".
    direction : str
        "forward", "backward" or "update".
    kind : str
        A layer's class, or another name: see kind_of.
    activation : str
    formula : str
    rows : int
        Number of examples, or of words.
    arrays : dict of name -> Portrait
    parameters : int
        Number of the layer's parameters.
    flops : int
        Multiplications and additions in the products.
    bytes : int
        Size of the arrays, each read or written once.
    facts : dict
        Numbers for the health rules that portraits do not contain.
    ms : float
        Milliseconds. Set later, like the next two.
    peak : float or None
        Fraction of the machine's sgemm peak; None without products.
    checked : check.Checked or None
        The check by finite differences; None without parameters.
    """
    place: str
    direction: str
    kind: str
    activation: str
    formula: str
    rows: int
    arrays: dict
    parameters: int = 0
    flops: int = 0
    bytes: int = 0
    facts: dict = field(default_factory=dict)
    ms: float = 0.0
    peak: float = None
    checked: object = None

    @property
    def result(self):
        """The Portrait of the output or of the gradient that is passed on; None if there is none.
        """
        if self.place == "loss" and self.direction == "forward":
            return self.arrays["loss"]
        names = {"forward": ("output", "z", "KL"), "backward": ("dx", "dlogits", "dmu")}
        return next((self.arrays[name] for name in names.get(self.direction, ())
                     if name in self.arrays), None)

    @property
    def gradient_norm(self):
        """The norm of the gradients of all parameters of the layer together, or None."""
        norms = [self.arrays[name].norm for name in self.facts.get("gradients", ())]
        return float(np.linalg.norm(norms)) if norms else None


@dataclass
class Update:
    """The optimizer's step for the parameters of one layer.

    Attributes
    ----------
    weight : float
        The norm of the parameters before the step.
    change : float
        The norm of the step.
    """
    weight: float
    change: float

    @property
    def ratio(self):
        """|step| / |W|; None if all parameters were 0."""
        return self.change / self.weight if self.weight else None


class Recorder:
    """A tap that turns calls into Events.

    Parameters
    ----------
    model : Model
    image_shape : (int, int, int), optional
        Height, width and channels of an example that is an image.

    Attributes
    ----------
    events : list of Event
    updates : dict of path -> Update
        For the layers with parameters.
    """

    def __init__(self, model, image_shape=None):
        self.model = model
        self.image_shape = image_shape
        self.events = []
        self.updates = {}
        self._inputs = {}               # path of a layer -> array
        self._outputs = {}

    def __call__(self, call, function, arguments, keywords):
        record_call = getattr(self, f"_{call.place}_{call.direction}", None)
        if record_call is None:
            record_call = getattr(self, f"_layer_{call.direction}")
        return record_call(call, partial(function, *arguments, **keywords))

    def add(self, call, rows, arrays, moved=None, **more):
        """Append an Event.

        Parameters
        ----------
        call : tap.Call
        rows : int
        arrays : dict of name -> array or None
            None is left out.
        moved : int, optional
            Bytes read and written; default: the size of the arrays.
        **more
            Further attributes of the Event.
        """
        formula = formula_of(call)
        arrays = {name: array for name, array in arrays.items() if array is not None}
        if moved is None:
            moved = sum(array.nbytes for array in arrays.values())
        self.events.append(Event(
            call.place,
            call.direction,
            kind_of(call),
            getattr(call.owner, "activation", "linear"),
            formula.backward if call.direction == "backward" else formula.forward,
            rows,
            {name: portray(name, array, self.image_shape) for name, array in arrays.items()},
            bytes=moved,
            **more,
        ))

    def _layer_forward(self, call, run):
        layer = call.owner
        x = run.args[0]
        y = run()
        self._inputs[call.place] = x
        self._outputs[call.place] = y
        initial = {"initial state": run.args[2]} if len(run.args) > 2 else {}
        if np.may_share_memory(x, y):
            moved = 0
        elif layer.input_dtype:         # words: of the table, only the rows of these words are read
            moved = x.nbytes + 2 * y.nbytes
        else:
            moved = None
        self.add(
            call,
            len(x),
            {"input": x} | initial | layer.params | {"output": y},
            moved,
            flops=len(x) * layer.flops()[0],
            parameters=count_parameters(layer),
        )
        return y

    def _layer_backward(self, call, run):
        layer = call.owner
        dout = run.args[0]
        dx = run()
        _, flops, flops_of_dx = layer.flops()
        if dx is not None:
            flops += flops_of_dx
        gradients = {gradient_name(name): gradient for name, gradient in layer.grads.items()}
        arrays = {"dout": dout} | gradients | {"dx": dx}
        read = [] if layer.reads_dout_only else [self._outputs[call.place]]
        if gradients:
            read += [self._inputs[call.place], *layer.params.values()]
        if dx is not None and np.may_share_memory(dout, dx):
            moved = 0
        else:
            moved = sum(array.nbytes for array in [*arrays.values(), *read] if array is not None)
        self.add(
            call,
            len(dout),
            arrays,
            moved,
            flops=len(dout) * flops,
            parameters=count_parameters(layer),
            facts={"gradients": tuple(gradients)},
        )
        return dx

    def _loss_forward(self, call, run):
        loss = call.owner
        logits, target = run.args
        values = run()
        stuck = None
        if loss.output is not None and loss.activation == "sigmoid":
            stuck = stuck_share(loss.output, target.reshape(loss.output.shape))
        arrays = {"logits": logits, "target": target, "output": loss.output, "loss": values}
        self.add(call, len(values), arrays, facts={"stuck": stuck})
        return values

    def _loss_backward(self, call, run):
        dlogits = run()
        self.add(call, len(dlogits), {"dlogits": dlogits})
        return dlogits

    def _sampling_noise(self, call, run):
        run()

    def _sampling_forward(self, call, run):
        run()
        arrays = arrays_of(run)
        self.add(call, len(arrays["z"]), arrays)

    def _sampling_backward(self, call, run):
        run()
        arrays = arrays_of(run)
        shown = {name: arrays[name] for name in ("dz", "dmu", "dlv")}
        self.add(call, len(arrays["dz"]), shown)

    def _kl_forward(self, call, run):
        run()
        arrays = arrays_of(run)
        mu = arrays["mu"]
        lv = arrays["lv"]
        by_dimension = -0.5 * (1 + lv - np.square(mu) - np.exp(lv)).mean(axis=0)
        self.add(
            call,
            len(mu),
            {"KL": arrays["KL"], "KL by dimension": by_dimension},
            sum(array.nbytes for array in arrays.values()),
            facts={"kl": by_dimension, "variance": mu.var(axis=0)},
        )

    def _kl_backward(self, call, run):
        arrays = arrays_of(run)
        dmu = arrays["dmu"]
        dlv = arrays["dlv"]
        dmu_before = dmu.copy()
        dlv_before = dlv.copy()
        run()
        shown = {
            "KL's part of dmu": dmu - dmu_before,
            "KL's part of dlv": dlv - dlv_before,
            "dmu": dmu,
            "dlv": dlv,
        }
        self.add(call, len(dmu), shown)

    def _optimizer_update(self, call, run):
        parameters = self.model.parameters
        optimizer = call.owner
        before = parameters.values.copy()
        norm = float(np.linalg.norm(parameters.gradients))
        run()
        change = parameters.values - before
        self._record_updates(before, change)
        # Gradients are read; parameters and slots are read and written.
        touched = 3 + 2 * len(optimizer.slots)
        self.add(
            call,
            parameters.count,
            {},
            touched * parameters.count * before.itemsize,
            parameters=parameters.count,
            facts={
                "norm": norm,
                "clipnorm": optimizer.global_clipnorm,
                "weight": float(np.linalg.norm(before)),
                "change": float(np.linalg.norm(change)),
            },
        )

    def _record_updates(self, before, change):
        """Fill `updates` from all parameters before the step, and the step, as flat arrays."""
        parameters = self.model.parameters
        first = parameters.values.ctypes.data
        slices = {}
        for name in parameters.names:
            parameter = parameters[name]
            start = (parameter.ctypes.data - first) // before.itemsize
            slices[name] = slice(start, start + parameter.size)
        for path, layer in self.model.layers.items():
            parts = [slices[f"{path}/{name}"] for name in layer.params]
            if parts:
                self.updates[path] = Update(norm_of(before[part] for part in parts),
                                            norm_of(change[part] for part in parts))


def arrays_of(run):
    """Return the arrays of a call of an operation under their names in the formulas."""
    declared = run.func.declaration.arrays
    return {SYMBOLS.get(name, name): array for name, array in zip(declared, run.args)}


def stuck_share(output, target):
    """Return the share of a sigmoid's outputs that are wrong and saturated."""
    wrong = np.abs(output - target) > STUCK_ERROR
    return float(np.mean((output * (1 - output) < STUCK_SLOPE) & wrong))


def gradient_name(name):
    """Return the name of a parameter's gradient: "dkernel", "forward/dkernel"."""
    path, slash, last = name.rpartition("/")
    return f"{path}{slash}d{last}"


def count_parameters(layer):
    """Return how many parameters a layer has, its state included."""
    return sum(weight.size for weight in layer.weights.values())


def formula_of(call):
    """Return the Formula of a call's part of the step."""
    if call.place in ("sampling", "kl"):
        return call.owner.formulas[call.place]
    if call.place in ("loss", "optimizer"):
        return call.owner.formula
    return call.owner.formula()


def kind_of(call):
    """Return a layer's or an optimizer's class, a loss's name, "sampling" or "kl"."""
    if call.place in ("sampling", "kl"):
        return call.place
    return call.owner.name if call.place == "loss" else type(call.owner).__name__


def norm_of(arrays):
    """Return the norm of all of these arrays together."""
    return float(np.linalg.norm([np.linalg.norm(array) for array in arrays]))


def record(subject):
    """Make the subject's step and record it.

    Returns
    -------
    (Recorder, (array, array))
        The reconstruction losses and the KL divergences are of shape (N,).
    """
    recorder = Recorder(subject.model, subject.image_shape)
    with tapped(subject.model, subject.optimizer, recorder):
        reconstruction, kl = subject.step()
        losses = (reconstruction.copy(), kl.copy())
    return recorder, losses
