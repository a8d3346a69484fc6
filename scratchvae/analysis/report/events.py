"""TensorBoard's event files, for who is used to it: losses by epoch, and a few examples as images or text.

They are written by tensorboardX, which needs neither TensorBoard nor a framework.
"""
import numpy as np

from ...errors import ScratchVAEError


class Events:
    """Event files in the run's directory tensorboard/, one for each time that training goes on; look at them with
    `tensorboard --logdir RUN/tensorboard`."""

    def __init__(self, run):
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            raise ScratchVAEError("--tensorboard needs the package tensorboardX, which is not installed; needed: pip install "
                                  "'scratchvae[tensorboard]'") from None
        self.make_writer, self.folder, self.writer = SummaryWriter, run.folder / "tensorboard", None

    def add(self, row, made):
        """Add an epoch: a row of the history, and a glimpse (see progress.glimpse)."""
        epoch = row["epoch"]
        if self.writer is None:         # a file has its second in its name: the suffix keeps apart what is resumed within one
            self.writer = self.make_writer(str(self.folder), flush_secs=1, filename_suffix=f".from-epoch-{epoch}")
        for name, value in row.items():
            if name != "epoch" and value is not None:
                self.writer.add_scalar(name, value, epoch)
        for kind, examples in made.items():
            if isinstance(examples, np.ndarray):
                side = round(np.sqrt(examples[0].size))
                self.writer.add_images(kind, examples.reshape(-1, side, side, 1), epoch, dataformats="NHWC")
            else:
                self.writer.add_text(kind, "\n\n".join(examples), epoch)

    def close(self):
        """Write what is still in memory."""
        if self.writer:
            self.writer.close()
