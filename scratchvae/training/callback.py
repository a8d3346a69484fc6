"""Callbacks: objects whose methods `fit` calls at fixed points of training."""


class Callback:
    """Base class whose methods do nothing; a subclass overrides those it needs.

    A callback may have a state that belongs to that of training, such as how long it has waited.
    It changes it in `on_validation_end` alone, and returns it from `get_state`: then it is part of
    each checkpoint, and a resumed training gives the same bits.
    """

    def begin(self, training):
        """Called before training, and before its checkpoint is loaded: reset the state.

        Parameters
        ----------
        training : scratchvae.training.loop.Training
        """

    def get_config(self):
        """Return what must not change between a training and its resumption, for JSON, or None."""

    def get_state(self):
        """Return the state: a dict of arrays, and a dict of anything that JSON can express."""
        return {}, {}

    def set_state(self, arrays, values):
        """Return to the state that get_state returned.

        Parameters
        ----------
        arrays, values : dict
        """

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

    def on_validation_end(self, training):
        """Called when an epoch is in the history, before its checkpoint is written.

        Parameters
        ----------
        training : scratchvae.training.loop.Training
            `history`, `model` and `optimizer` are its own; with stop = True training ends here.
        """

    def on_epoch_end(self, history):
        """Called after each epoch, its validation and its checkpoint."""

    def on_interrupt(self, history):
        """Called when training stops early because of Ctrl-C or SIGTERM, after the checkpoint."""

    def on_train_end(self, training):
        """Called after the last epoch, unless training is interrupted.

        Parameters
        ----------
        training : scratchvae.training.loop.Training
        """


def listeners(callbacks, moment):
    """Return the methods of those callbacks that override a moment such as "on_step_end"."""
    return [getattr(callback, moment) for callback in callbacks
            if getattr(type(callback), moment) is not getattr(Callback, moment)]
