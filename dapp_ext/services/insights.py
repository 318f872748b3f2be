"""Insights: pictures and tables that a notebook publishes, sealed, and shown at every door."""

from __future__ import annotations

from typing import Any

from dapp_ext.domain.access import Thing
from dapp_ext.domain.pictures import Picture, read_png
from dapp_ext.errors import InsightNotFound, Invalid, NotFound
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Named, Page, Subject, new_id, now
from dapp_ext.schema.events import InsightEvent
from dapp_ext.schema.insights import InsightPublish, InsightRead, InsightUpdate, TableRead, TableWrite
from dapp_ext.services import files
from dapp_ext.services.context import Change, Context, list_cursor
from dapp_ext.services.files import Download
from dapp_ext.services.models import Models
from dapp_ext.services.names import clean_name
from dapp_ext.services.tables import Tables
from dapp_ext.store import accounts as accounts_store
from dapp_ext.store import insights as store
from dapp_ext.store.database import Session
from dapp_ext.store.datasets import files as files_of
from dapp_ext.store.tables import Insight


class Insights:
    """The service."""

    def __init__(self, context: Context, tables: Tables, models: Models) -> None:
        self._context = context
        self._tables = tables
        self._models = models

    def publish(self, actor: Actor, request: InsightPublish) -> InsightRead:
        """Seal a picture, a table or both, and show them to whoever may see the insight.

        Raises
        ------
        Invalid
            If there is neither, the picture is no PNG, or a row of the table has another number of cells.
        TooLarge
            If the picture has too many pixels.
        """
        self._context.permit(actor, "insight.publish")
        if request.picture is None and request.table is None:
            raise Invalid("There is nothing to publish. Give a picture, a table, or both.")
        picture = read_png(request.picture) if request.picture is not None else None
        table = _checked(request.table)
        insight = Insight(id=new_id(), owner_id=actor.account_id)
        inherited = self._link(actor, insight, request)
        insight.visibility = request.visibility or inherited or "team"
        inside: dict[str, Any] = {"title": clean_name(request.title), "note": request.note, "source": request.source}
        if picture is not None:
            inside |= {"width": picture.width, "height": picture.height}
        if table is not None:
            inside |= {"rows": table.total}
        key = self._context.keyring.new_data_key()
        written = self._write(insight.id, key, picture, table)
        with self._context.change(actor, "insight.publish", Subject(kind="insight", id=insight.id)) as change:
            session = change.session
            self._context.keep_key(session, insight.id, key)
            session.add(insight)
            session.flush()
            for purpose, (label, stored) in written.items():
                setattr(insight, f"{purpose}_id", files.record(session, insight.id, label, stored))
            insight.sealed = self._context.seal(session, insight.id, _place(insight), inside)
            session.add(insight)
            tell(change, "insight.published", insight)
            return self._read(session, insight)

    def list(self, actor: Actor, *, about: str | None = None, limit: int = 50, cursor: str | None = None) -> Page[InsightRead]:
        """Insights that the actor may see, newest first; ``about`` is the id of a dataset or model."""
        self._context.permit(actor, "insight.list")
        limit = max(1, min(limit, 500))
        with self._context.database.read() as session:
            rows = store.page(session, actor.account_id, about=about, limit=limit + 1, before=list_cursor(cursor))
            names = accounts_store.names(session, {row.owner_id for row in rows})
            items = [self._read(session, row, names) for row in rows[:limit]]
        return Page(items=items, next=items[-1].id if len(rows) > limit else None)

    def get(self, actor: Actor, ref: str) -> InsightRead:
        """One insight by its id."""
        with self._context.database.read() as session:
            return self._read(session, self.find(actor, session, ref, "insight.read"))

    def picture(self, actor: Actor, ref: str) -> Download:
        """Its picture, a PNG."""
        with self._context.database.read() as session:
            insight = self.find(actor, session, ref, "insight.read")
            if insight.picture_id is None:
                raise NotFound("This insight has no picture, only a table.")
            reader, stored = files.open_stored(self._context, session, insight.picture_id)
        self._context.note_read(actor, "insight.look", Subject(kind="insight", id=insight.id))
        return Download("picture.png", "image/png", files.pieces(reader), stored.plain_size)

    def table(self, actor: Actor, ref: str) -> TableRead:
        """Its table."""
        with self._context.database.read() as session:
            insight = self.find(actor, session, ref, "insight.read")
            if insight.table_id is None:
                raise NotFound("This insight has no table, only a picture.")
            found = TableRead.model_validate_json(files.read_stored(self._context, session, insight.table_id))
        self._context.note_read(actor, "insight.look", Subject(kind="insight", id=insight.id))
        return found

    def update(self, actor: Actor, ref: str, request: InsightUpdate) -> InsightRead:
        """Change its title or note, or who may see it."""
        with self._context.database.read() as session:
            insight = self.find(actor, session, ref, "insight.update")
        with self._context.change(actor, "insight.update", Subject(kind="insight", id=insight.id)) as change:
            insight = self.find(actor, change.session, insight.id, "insight.update")
            inside = self._context.unseal(change.session, insight.id, _place(insight), insight.sealed)
            if request.title is not None:
                inside["title"] = clean_name(request.title)
            if "note" in request.model_fields_set:
                inside["note"] = request.note
            if request.visibility is not None:
                insight.visibility = request.visibility
            insight.sealed = self._context.seal(change.session, insight.id, _place(insight), inside)
            insight.updated_at = now()
            change.session.add(insight)
            tell(change, "insight.changed", insight)
            return self._read(change.session, insight)

    def delete(self, actor: Actor, ref: str) -> None:
        """Delete an insight for good, with the key of its picture and table."""
        with self._context.database.read() as session:
            insight = self.find(actor, session, ref, "insight.delete")
        with self._context.change(actor, "insight.delete", Subject(kind="insight", id=insight.id)) as change:
            insight = self.find(actor, change.session, insight.id, "insight.delete")
            stored = list(files_of(change.session, insight.id))
            tell(change, "insight.deleted", insight)
            store.erase(change.session, insight)
        self._context.forget_key(insight.id)
        files.remove(self._context, stored)

    def _link(self, actor: Actor, insight: Insight, request: InsightPublish) -> str | None:
        """Note what it shows, which the actor must be able to see; its visibility where there is one."""
        visible: list[str] = []
        with self._context.database.read() as session:
            if request.dataset is not None:
                dataset, version = self._tables.find(actor, session, request.dataset, None, "dataset.read")
                insight.dataset_id, insight.dataset_name, insight.dataset_version = dataset.id, dataset.name, version.version
                visible.append(dataset.visibility)
            if request.model is not None:
                model = self._models.find(actor, session, request.model, "model.read")
                insight.model_id, insight.model_name = model.id, model.name
                visible.append(model.visibility)
        return None if not visible else "private" if "private" in visible else "team"

    def _write(self, insight_id: str, key: bytes, picture: Picture | None, table: TableRead | None) -> dict[str, Any]:
        contents = {"picture": picture.data if picture else None, "table": files.json_bytes(table) if table else None}
        written = {}
        for purpose, data in contents.items():
            if data is not None:
                with files.start_file(self._context, insight_id, 1, purpose, key) as staged:
                    staged.write(data)
                    stored = staged.finish()
                    staged.publish()
                written[purpose] = (staged.label, stored)
        return written

    def find(self, actor: Actor, session: Session, ref: str, verb: str) -> Insight:
        """An insight that the actor may do this to."""
        insight = session.get(Insight, ref)
        if insight is None:
            raise InsightNotFound
        self._context.permit(actor, verb, Thing(insight.owner_id, insight.visibility), InsightNotFound)
        return insight

    def title(self, session: Session, insight: Insight) -> str:
        """Its title, which is sealed."""
        return str(self._context.unseal(session, insight.id, _place(insight), insight.sealed)["title"])

    def shown(self, session: Session, insight: Insight, names: dict[str, str] | None = None) -> InsightRead:
        """An insight as it is shown."""
        return self._read(session, insight, names)

    def table_of(self, session: Session, insight: Insight) -> TableRead | None:
        """The table of an insight, where it has one."""
        return None if insight.table_id is None else TableRead.model_validate_json(files.read_stored(self._context, session, insight.table_id))

    def _read(self, session: Session, insight: Insight, names: dict[str, str] | None = None) -> InsightRead:
        owners = names if names is not None else accounts_store.names(session, {insight.owner_id})
        inside = self._context.unseal(session, insight.id, _place(insight), insight.sealed)
        return InsightRead(
            **{name: inside.get(name) for name in ("title", "note", "source", "width", "height", "rows")},
            id=insight.id,
            owner=Named(id=insight.owner_id, name=owners.get(insight.owner_id, "")),
            visibility=insight.visibility,
            dataset=_named(insight.dataset_id, insight.dataset_name),
            dataset_version=insight.dataset_version,
            model=_named(insight.model_id, insight.model_name),
            has_picture=insight.picture_id is not None,
            has_table=insight.table_id is not None,
            created_at=insight.created_at,
            updated_at=insight.updated_at,
        )


def _checked(table: TableWrite | None) -> TableRead | None:
    if table is None:
        return None
    width = len(table.columns)
    if any(len(row) != width for row in table.rows):
        raise Invalid("A row of the table has more or fewer cells than there are columns.")
    return TableRead(columns=table.columns, rows=table.rows, total=max(table.total or 0, len(table.rows)))


def _named(id: str | None, name: str | None) -> Named | None:
    return Named(id=id, name=name or "") if id else None


def _place(insight: Insight) -> str:
    return f"insights/{insight.id}"


def tell(change: Change, type: str, insight: Insight) -> None:
    """Add an event about an insight; neither its title nor its note is in it."""
    data = InsightEvent(dataset=_named(insight.dataset_id, insight.dataset_name), model=_named(insight.model_id, insight.model_name))
    change.tell(type, Subject(kind="insight", id=insight.id), data, Thing(insight.owner_id, insight.visibility))
