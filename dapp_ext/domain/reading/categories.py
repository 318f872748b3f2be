"""Whether a column of texts is one of categories: few different texts that repeat."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.schema.datasets import ColumnKind

FEW = 50
"""So many different values are few, whatever the number of rows."""
MANY = 1000
"""More different values than this are never categories, and are not counted further."""
LONG = 60
"""Mean length in characters above which texts are sentences."""


class Variety:
    """Counts the different texts of a column until they are many."""

    def __init__(self) -> None:
        self.texts: set[str] | None = set()
        self.values = 0
        self.characters = 0

    def add(self, array: pa.Array, values: int | None = None, indices: pa.Array | None = None) -> None:
        """Count texts; nulls are left out.

        Parameters
        ----------
        values : int, optional
            How many texts there are, where ``array`` holds the different ones only and ``indices`` say where each stands.
        """
        self.values += len(array) - array.null_count if values is None else values
        if self.texts is None:
            return
        lengths = pc.utf8_length(array)
        self.characters += pc.sum(lengths if indices is None else lengths.take(indices)).as_py() or 0
        self.texts.update(text for text in array.unique().to_pylist() if text is not None)
        if len(self.texts) > MANY:
            self.texts = None

    def give_up(self) -> None:
        """Take it that there are many: some texts were not counted."""
        self.texts = None

    @property
    def distinct(self) -> int | None:
        """Number of different texts; None for many."""
        return None if self.texts is None else len(self.texts)

    def kind(self, rows: int) -> ColumnKind:
        """Category or text, for a column of so many rows."""
        if self.distinct is None or not self.values:
            return "text"
        few = self.distinct <= max(FEW, 0.05 * rows)
        repeats = self.distinct <= 2 or self.distinct <= 0.5 * self.values
        return "category" if few and repeats and self.characters <= LONG * self.values else "text"
