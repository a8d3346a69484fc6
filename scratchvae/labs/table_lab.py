"""What labs about tables have beyond others."""
from dataclasses import dataclass
from typing import ClassVar

from .lab import Lab


@dataclass(frozen=True, kw_only=True)
class TableLab(Lab):
    """A lab about tables; see Lab.

    The settings "numbers" and "sizes" of its model are the number of columns of numbers, and the
    sizes of those of categories; they come from the table, and `--set` cannot change them.
    """
    kind: ClassVar = "tables"
    held_out: ClassVar = "test rows"

    @property
    def data_title(self):
        """What the tables are."""
        return self.data

    def shape(self, settings):
        """Return the shape of an example."""
        numbers, sizes = columns_of(settings)
        return (numbers + sum(sizes),)


def columns_of(settings):
    """Return the number of columns of numbers, and the sizes of those of categories.

    Without a table they are those of the table in scratchvae.data.tables.weather.
    """
    return settings.get("numbers", 6), tuple(settings.get("sizes", (4, 3)))
