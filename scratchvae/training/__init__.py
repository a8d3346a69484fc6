"""Training: the loop over epochs and batches, its callbacks, and its history."""
from .callback import Callback
from .checkpoint import Trained
from .history import History
from .loop import fit
from .monitors import EarlyStopping, ReduceLROnPlateau
from .settings import Settings, make_settings
