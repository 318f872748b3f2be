"""Insights in a notebook: a figure or table published for everybody, shown, changed and taken back."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dapp_ext.client.connection import Connection
from dapp_ext.client.datasets import pages
from dapp_ext.client.drawing import Html, ago, amount, badge, card, escape, even_rows, paragraph, table, text_table
from dapp_ext.client.figures import render
from dapp_ext.client.objects import Listing, Thing, reference
from dapp_ext.client.progress import say
from dapp_ext.client.tracebacks import short_tracebacks
from dapp_ext.client.transport import path_of
from dapp_ext.errors import Invalid
from dapp_ext.schema.datasets import Visibility
from dapp_ext.schema.insights import InsightPublish, InsightRead, InsightUpdate, TableRead

if TYPE_CHECKING:
    import pandas as pd

_SHOWN_ROWS = 8


@dataclass(frozen=True)
class Publication:
    """What is said about a figure when it is published."""

    title: str
    note: str | None = None
    dataset: object | None = None
    model: object | None = None
    visibility: Visibility | None = None


@short_tracebacks
class Insight(Thing[InsightRead]):
    """Something published; its ``str`` is its id."""

    @property
    def title(self) -> str:
        return self._read.title

    @property
    def picture(self) -> bytes | None:
        """The PNG as others see it; ``None`` where there is only a table."""
        if not self._read.has_picture:
            return None
        with self._connection.transport.download(f"insights/{path_of(self.id)}/picture") as stream:
            return stream.read()

    def table(self) -> pd.DataFrame | None:
        """The rows as others see them; ``None`` where there is only a picture."""
        import pandas as pd

        found = self._rows()
        return pd.DataFrame(found.rows, columns=found.columns) if found else None

    def refresh(self) -> Insight:
        """Read again how it is now."""
        self._read = self._connection.transport.get(InsightRead, f"insights/{path_of(self.id)}")
        return self

    def rename(self, title: str) -> Insight:
        """Give it another title."""
        return self._update(InsightUpdate(title=title))

    def describe(self, note: str | None) -> Insight:
        """Put another sentence below the title."""
        return self._update(InsightUpdate(note=note))

    def share(self, visibility: Visibility = "team") -> Insight:
        """Show it to the team, or keep it ``private``."""
        return self._update(InsightUpdate(visibility=visibility))

    def delete(self) -> None:
        """Take it back for good."""
        self._connection.transport.call("DELETE", f"insights/{path_of(self.id)}")

    def _update(self, change: InsightUpdate) -> Insight:
        self._read = self._connection.transport.patch(InsightRead, f"insights/{path_of(self.id)}", change)
        return self

    def _rows(self) -> TableRead | None:
        return self._connection.transport.get(TableRead, f"insights/{path_of(self.id)}/table") if self._read.has_table else None

    def _facts(self) -> str:
        read = self._read
        of = [each.name for each in (read.dataset, read.model) if each]
        size = [f"{read.width} × {read.height} pixels"] if read.has_picture else []
        rows = [amount(read.rows, "row")] if read.has_table else []
        return " · ".join([*of, *size, *rows, read.owner.name, ago(read.created_at), read.visibility])

    def __repr__(self) -> str:
        lines = [f"Insight {self.title!r} · on the dashboard · id {self.id}", self._facts()]
        lines += [self._read.note] if self._read.note else []
        found = None if self._read.has_picture else self._rows()
        if found:
            shown, right = even_rows(found.rows[:_SHOWN_ROWS])
            lines.append(text_table(found.columns, shown, numeric=right))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts = [paragraph(self._read.note)] if self._read.note else []
        picture = self.picture
        if picture is not None:
            data = base64.b64encode(picture).decode()
            parts.append(Html(f'<img alt="{escape(self.title)}" style="max-width:min(640px,100%);background:#fff" src="data:image/png;base64,{data}"/>'))
        else:
            found = self._rows()
            if found:
                lines, right = even_rows(found.rows[:_SHOWN_ROWS])
                parts.append(table(found.columns, lines, numeric=right, one_line=True))
        return card(self.title, *parts, paragraph(self._facts(), "soft"), badge=badge("on the dashboard", "good"))


_COLUMNS: dict[str, Callable[[Insight], Any]] = {
    "title": lambda each: each.title,
    "shows": lambda each: " and ".join(what for what, has in (("picture", each.read.has_picture), ("table", each.read.has_table)) if has),
    "of": lambda each: " and ".join(of.name for of in (each.read.dataset, each.read.model) if of),
    "by": lambda each: each.read.owner.name,
    "published": lambda each: ago(each.read.created_at),
}


def publish(connection: Connection, thing: Any, about: Publication) -> Insight:
    """Render a figure or table here and send what came of it."""
    if not about.title.strip():
        raise Invalid("The title is empty. Say in a few words what it shows.")
    rendered = render(thing)
    given = {
        "title": about.title,
        "note": about.note,
        "table": rendered.table,
        "dataset": reference(about.dataset, "a dataset") if about.dataset is not None else None,
        "model": reference(about.model, "a model") if about.model is not None else None,
        "visibility": about.visibility,
        "source": rendered.source,
    }
    body = InsightPublish(**{name: value for name, value in given.items() if value is not None}).model_dump(mode="json", exclude_unset=True)
    if rendered.picture is not None:
        body["picture"] = base64.b64encode(rendered.picture).decode()
    insight = Insight(connection, connection.transport.post(InsightRead, "insights", body))
    if not insight.read.has_picture:
        say(f"{insight.title}: published as a table")
    return insight


def get_insight(connection: Connection, ref: Insight | str) -> Insight:
    """One insight by object or id."""
    return Insight(connection, connection.transport.get(InsightRead, f"insights/{path_of(reference(ref, 'an insight'))}"))


def list_insights(connection: Connection, about: Thing[Any] | str | None = None) -> Listing[Insight]:
    """All insights that this account may see, the newest first; only those of a dataset or model when one is given."""
    wanted = reference(about, "a dataset or model") if about is not None else None
    found = [Insight(connection, read) for page in pages(connection, InsightRead, "insights", about=wanted) for read in page]
    return Listing(found, "Insights", _COLUMNS)
