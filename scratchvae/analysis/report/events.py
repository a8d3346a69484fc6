"""TensorBoard event files: losses by epoch, and a few examples as images or text.

tensorboardX writes them; it needs neither TensorBoard nor a framework.
"""
import numpy as np

from ...errors import ScratchVAEError
from ..pictures import as_images


class Events:
    """Event files in the run's directory tensorboard/, one for each start of training.

    View them with `tensorboard --logdir RUN/tensorboard`.
    """

    def __init__(self, run):
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            raise ScratchVAEError(
                "--tensorboard: the package tensorboardX is not installed. "
                "Install it with: pip install 'scratchvae[tensorboard]'") from None
        self.make_writer = SummaryWriter
        self.folder = run.folder / "tensorboard"
        self.writer = None

    def add(self, row, made):
        """Add an epoch.

        Parameters
        ----------
        row : dict
            A row of the history.
        made : dict
            The examples after the epoch, as run.glimpse returns them.
        """
        epoch = row["epoch"]
        if self.writer is None:
            self.writer = self._open(epoch)
        for name, value in row.items():
            if name != "epoch" and value is not None:
                self.writer.add_scalar(name, value, epoch)
        for kind, examples in made.items():
            if isinstance(examples, np.ndarray):
                images = as_images(examples)
                images = images[..., np.newaxis] if images.ndim == 3 else images
                self.writer.add_images(kind, images, epoch, dataformats="NHWC")
            else:
                self.writer.add_text(kind, "\n\n".join(examples), epoch)

    def _open(self, epoch):
        """Return a writer to a new file whose first epoch is the given one."""
        # A file is named after the second of its creation. The suffix separates the files of runs
        # that were resumed within one second.
        suffix = f".from-epoch-{epoch}"
        return self.make_writer(str(self.folder), flush_secs=1, filename_suffix=suffix)

    def close(self):
        """Write what is still in memory."""
        if self.writer:
            self.writer.close()
