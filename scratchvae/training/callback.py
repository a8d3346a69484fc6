"""Callbacks: objects whose methods `fit` calls at fixed points of training."""


class Callback:
    """Base class whose methods do nothing; a subclass overrides those it needs."""

    def on_train_begin(self, history):
        """Called when all arguments are checked, before the first step.

        Parameters
        ----------
        history : History
            Empty, or that of the training that is resumed.
        """

    def on_step_end(self, step, batch, loss):
        """Called after each training step.

        Parameters
        ----------
        step : int
            The number of the step in the whole training, from 1.
        batch : array
            The examples of the step, the backend's own array; it is reused.
        loss : float
            The batch's mean loss before the step. Computing it makes the host wait for a device.
        """

    def on_epoch_end(self, history):
        """Called after each epoch, its validation and its checkpoint."""

    def on_interrupt(self, history):
        """Called when training stops early because of Ctrl-C or SIGTERM, after the checkpoint."""


def listeners(callbacks, moment):
    """Return the methods of those callbacks that override a moment such as "on_step_end"."""
    return [getattr(callback, moment) for callback in callbacks
            if getattr(type(callback), moment) is not getattr(Callback, moment)]
