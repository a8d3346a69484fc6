"""The judge's opinion of the operations that a step calls, in training and in inference.

Finite differences of the whole loss check parameters. They see neither what only inference
computes, nor moving averages, nor the optimizer's step.
"""
import numpy as np

from ... import kernels
from ...models import Model
from ..judge.coverage import recorded
from ..judge.operations import judge
from ..judge.subject import in_order

FEW = 3                         # examples: enough to see which operations are called


def judge_operations(subject):
    """Return the Judgement of each operation that training and inference of a subject call.

    Parameters
    ----------
    subject : Subject

    Returns
    -------
    list of Judgement
        Beside the reference, or beside the cpu backend if the reference computes.
    """
    backend = subject.model.kernels
    trusted = kernels.load("cpu" if backend.NAME == "reference" else "reference")
    return [judge(backend, trusted, name, with_differences=False)
            for name in in_order(called_by(subject))]


def called_by(subject):
    """Return the names of the operations that a step and an inference call, on a copy."""
    model = subject.model
    copy = Model.from_config(model.get_config(), model.backend)
    copy.parameters.values[...] = model.parameters.values
    config = subject.optimizer.get_config()
    del config["class"]
    optimizer = type(subject.optimizer)(**config)
    optimizer.build(copy.parameters, copy.kernels)
    x = np.array(subject.x[:FEW])
    target = np.array(subject.target[:FEW])
    with recorded(copy.kernels) as called:
        copy.train_step(x, optimizer, subject.kl_weight, target)
        copy.forward(x, training=False, target=target)
    return called
