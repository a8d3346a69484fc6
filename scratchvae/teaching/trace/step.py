"""Records one training step:

every call of it in the order in which it happens, with portraits of its arrays.
"""

from dataclasses import dataclass, field

import numpy as np

from .portrait import portray
from .tap import tapped


@dataclass
class Event:
    """A call of a step.  arrays: name -> Portrait.  flops: of its products; bytes: of its arrays,
    each read or written once.

    ms, peak (the fraction of the machine's sgemm peak) and checked are filled in by others, where
    they apply.
    """

    place: str
    direction: str  # forward, backward, update
    kind: str  # a layer's class, or what it is: see kind_of
    activation: str
    formula: str
    rows: int  # examples, or words
    arrays: dict
    parameters: int = 0
    flops: int = 0
    bytes: int = 0
    facts: dict = field(default_factory=dict)  # what health asks beyond portraits
    ms: float = 0.0
    peak: float = None
    checked: object = None  # a check.Checked

    @property
    def result(self):
        """The Portrait of what comes out:

        the activations, or the gradient that goes on; None if there is none.
        """
        names = {
            "forward": ("output", "z", "loss", "KL"),
            "backward": ("dx", "dlogits", "dmu"),
        }.get(self.direction, ())
        if self.place == "loss" and self.direction == "forward":
            return self.arrays["loss"]
        return next((self.arrays[name] for name in names if name in self.arrays), None)

    @property
    def gradient_norm(self):
        """The norm of the gradients of all of the layer's parameters together, or None."""
        norms = [
            portrait.norm
            for name, portrait in self.arrays.items()
            if name in self.facts.get("gradients", ())
        ]
        return float(np.linalg.norm(norms)) if norms else None


@dataclass
class Update:
    """What the optimizer did to the parameters of one layer: norms before, and of the change."""

    weight: float
    change: float

    @property
    def ratio(self):
        """|dw| / |w|, None if the weights were all zero."""
        return self.change / self.weight if self.weight else None


class Recorder:
    """A tap that turns calls into Events.  image_shape: see portray."""

    def __init__(self, model, image_shape=None):
        self.model = model
        self.image_shape = image_shape
        self.events = []
        self.updates = {}  # updates: path of a layer -> Update
        self.inputs = {}
        self.outputs = {}  # of the layers, by path

    def __call__(self, call, function, arguments, keywords):
        take = getattr(self, f"_{call.place}_{call.direction}", None) or getattr(
            self, f"_layer_{call.direction}"
        )
        return take(call, lambda: function(*arguments, **keywords), arguments)

    def add(self, call, rows, arrays, moved=None, **more):
        """Note an event: arrays is name -> array, moved the bytes, all of theirs unless given."""
        formula = formula_of(call.place, call.owner)
        arrays = {name: array for name, array in arrays.items() if array is not None}
        self.events.append(
            Event(
                call.place,
                call.direction,
                kind_of(call.place, call.owner),
                getattr(call.owner, "activation", "linear"),
                formula.backward if call.direction == "backward" else formula.forward,
                rows,
                {name: portray(name, array, self.image_shape) for name, array in arrays.items()},
                bytes=sum(array.nbytes for array in arrays.values()) if moved is None else moved,
                **more,
            )
        )

    def _layer_forward(self, call, run, arguments):
        x = arguments[0]
        layer = call.owner
        y = self.outputs[call.place] = run()
        self.inputs[call.place] = x
        moved = (
            0
            if np.may_share_memory(x, y)
            else x.nbytes + 2 * y.nbytes
            if layer.input_dtype
            else None
        )  # of a table, the rows read
        initial = {"initial state": arguments[2]} if len(arguments) > 2 else {}
        self.add(
            call,
            len(x),
            {"input": x} | initial | layer.params | {"output": y},
            moved,
            flops=len(x) * layer.flops()[0],
            parameters=sum(weight.size for weight in layer.weights.values()),
        )
        return y

    def _layer_backward(self, call, run, arguments):
        dout = arguments[0]
        layer = call.owner
        dx = run()
        _, parameters, inputs = layer.flops()
        gradients = {
            "/d".join(name.rsplit("/", 1)) if "/" in name else f"d{name}": grad
            for name, grad in layer.grads.items()
        }
        arrays = {"dout": dout} | gradients | {"dx": dx}
        read = [] if layer.reads_dout_only else [self.outputs[call.place]]
        if gradients:
            read += [self.inputs[call.place], *layer.params.values()]
        shared = dx is not None and np.may_share_memory(dout, dx)
        moved = (
            0
            if shared
            else sum(array.nbytes for array in [*arrays.values(), *read] if array is not None)
        )
        self.add(
            call,
            len(dout),
            arrays,
            moved,
            flops=len(dout) * (parameters + (inputs if dx is not None else 0)),
            parameters=sum(weight.size for weight in layer.weights.values()),
            facts={"gradients": tuple(gradients)},
        )
        return dx

    def _loss_forward(self, call, run, arguments):
        logits, target = arguments
        values = run()
        output = call.owner.output
        stuck = None
        if output is not None and call.owner.activation == "sigmoid":
            wrong = np.abs(output - target.reshape(output.shape)) > 0.5
            stuck = float(np.mean((output * (1 - output) < 0.01) & wrong))
        shown = {} if output is None else {"output": output}
        self.add(
            call,
            len(values),
            {"logits": logits, "target": target} | shown | {"loss": values},
            facts={"stuck": stuck},
        )
        return values

    def _loss_backward(self, call, run, arguments):
        dlogits = run()
        self.add(call, len(dlogits), {"dlogits": dlogits})
        return dlogits

    def _sampling_noise(self, call, run, arguments):
        run()

    def _sampling_forward(self, call, run, arguments):
        run()
        mu, lv, eps, z = arguments
        self.add(call, len(z), {"mu": mu, "log variance": lv, "eps": eps, "z": z})

    def _sampling_backward(self, call, run, arguments):
        run()
        dz, _, _, dmu, dlv = arguments
        self.add(call, len(dz), {"dz": dz, "dmu": dmu, "dlog variance": dlv})

    def _kl_forward(self, call, run, arguments):
        run()
        mu, lv, kl = arguments
        by_dimension = -0.5 * (1 + lv - np.square(mu) - np.exp(lv)).mean(axis=0)
        self.add(
            call,
            len(kl),
            {"KL": kl, "KL by dimension": by_dimension},
            mu.nbytes + lv.nbytes + kl.nbytes,
            facts={"kl": by_dimension, "variance": mu.var(axis=0)},
        )

    def _kl_backward(self, call, run, arguments):
        dmu, dlv = arguments[2:4]
        before = dmu.copy(), dlv.copy()
        run()
        self.add(
            call,
            len(dmu),
            {
                "its part of dmu": dmu - before[0],
                "its part of dlog variance": dlv - before[1],
                "dmu": dmu,
                "dlog variance": dlv,
            },
        )

    def _optimizer_update(self, call, run, arguments):
        parameters = self.model.parameters
        optimizer = call.owner
        before = parameters.values.copy()
        norm = float(np.linalg.norm(parameters.gradients))
        run()
        change = parameters.values - before
        starts = {
            name: (parameters[name].ctypes.data - parameters.values.ctypes.data) // before.itemsize
            for name in parameters.names
        }
        here = {name: slice(start, start + parameters[name].size) for name, start in starts.items()}
        for path, layer in self.model.layers.items():
            parts = [here[f"{path}/{name}"] for name in layer.params]
            if parts:
                self.updates[path] = Update(
                    *(norm_of(array[part] for part in parts) for array in (before, change))
                )
        touched = 3 + 2 * len(
            optimizer.slots
        )  # gradients are read, parameters and slots read and written
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


def formula_of(place, owner):
    """Return the Formula of a part of a step: a layer, the loss, the optimizer, sampling or KL."""
    if place in ("sampling", "kl"):
        return owner.formulas[place]
    formula = owner.formula
    return formula() if callable(formula) else formula


def kind_of(place, owner):
    """Return what a part is: a class of layers or optimizers, a loss's name, sampling or kl."""
    if place in ("sampling", "kl"):
        return place
    return owner.name if place == "loss" else type(owner).__name__


def norm_of(arrays):
    """The norm of all of these arrays together."""
    return float(np.linalg.norm([np.linalg.norm(array) for array in arrays]))


def record(subject):
    """Make the subject's step;

    returns its Recorder, with events and updates, and the losses (reconstruction (N,), kl (N,)).
    """
    recorder = Recorder(subject.model, subject.image_shape)
    with tapped(subject.model, subject.optimizer, recorder):
        losses = [values.copy() for values in subject.step()]
    return recorder, losses
