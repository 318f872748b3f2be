"""Charts over coded columns: what many people ask of one table at once, answered by counting codes."""

from dapp_ext.domain.boards.answers import answer_chart, answer_figure
from dapp_ext.domain.boards.columns import ColumnDesk

__all__ = ["ColumnDesk", "answer_chart", "answer_figure"]
