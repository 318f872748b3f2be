"""The board at the services and as a page asks for it, and the Python that a chart leaves as."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from dapp_ext.errors import ColumnUnknown, DatasetNotFound
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.base import Named, now
from dapp_ext.schema.boards import BoardRequest, ChartRequest
from dapp_ext.schema.datasets import Column, DatasetRead, Filter, Measure
from dapp_ext.schema.grants import GrantPut
from dapp_ext.services import Services, open_services
from dapp_panel.code import chart_code
from tests.panel.visiting import Visit

CSV = b"city,price,day\nOslo,10,2024-01-05\nOslo,20,2024-02-05\nRoma,30,2024-02-09\nRoma,50,2024-03-01\nBern,40,2024-03-02\n"


@pytest.fixture
def dataset(owner: Actor, upload: Callable[..., DatasetRead], run_jobs: Callable[[], None]) -> DatasetRead:
    found = upload(owner, CSV, "cities.csv")
    run_jobs()
    return found


def test_what_is_picked_in_a_chart_filters_the_others(services: Services, owner: Actor, dataset: DatasetRead) -> None:
    picks = [Filter(column="city", op="in", value=["Roma"])]
    request = BoardRequest(
        charts=[ChartRequest(shape="bar", x="city", picks=picks), ChartRequest(shape="bar", x="city", y="price", measure="mean")],
        figures=[Measure(op="sum", column="price")],
        filters=[Filter(column="price", op="ge", value=20)],
    )
    board = json.loads(services.boards.answer(owner, dataset.id, request))
    assert (board["version"], board["rows"], board["fit"], board["figures"]) == (1, 5, 2, [80])
    assert sorted(board["charts"][0]["data"]["names"]) == ["Bern", "Oslo", "Roma"]
    assert board["charts"][1]["data"] | {} == board["charts"][1]["data"]
    assert (board["charts"][1]["data"]["names"], board["charts"][1]["data"]["values"]) == (["Roma"], [40])


def test_the_second_asker_gets_the_same_bytes_and_nothing_is_computed(
    services: Services, owner: Actor, person: Callable[[str, Role], Actor], dataset: DatasetRead, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = BoardRequest(charts=[ChartRequest(shape="bar", x="city")])
    first = services.boards.answer(owner, dataset.id, request)
    monkeypatch.setattr("dapp_ext.domain.boards.answer_chart", lambda *_: pytest.fail("counted again"))
    assert services.boards.answer(person("tom", Role.viewer), dataset.id, request) is first


def test_new_questions_look_the_table_up_once_while_nothing_changes(
    services: Services, owner: Actor, dataset: DatasetRead, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(least: int) -> int:
        request = BoardRequest(charts=[ChartRequest(shape="bar", x="city")], filters=[Filter(column="price", op="ge", value=least)])
        found: int = json.loads(services.boards.answer(owner, dataset.id, request))["fit"]
        return found

    assert [ask(10), ask(15)] == [5, 4]  # the first look is written down, and everything is looked up again after it
    opened = services.boards._tables.open
    monkeypatch.setattr(services.boards._tables, "open", lambda *_: pytest.fail("looked up again"))
    assert [ask(25), ask(35)] == [3, 2]
    monkeypatch.setattr(services.boards._tables, "open", opened)
    services.trash.put(owner, "dataset", dataset.id)
    with pytest.raises(DatasetNotFound):
        ask(45)


def test_what_is_kept_is_only_for_who_may_read_the_table(
    services: Services, owner: Actor, person: Callable[[str, Role], Actor], upload: Callable[..., DatasetRead], run_jobs: Callable[[], None]
) -> None:
    mine = upload(owner, CSV, "mine.csv", visibility="private")
    run_jobs()
    request = BoardRequest(charts=[ChartRequest(shape="bar", x="city")])
    services.boards.answer(owner, mine.id, request)
    with pytest.raises(DatasetNotFound):
        services.boards.answer(person("maya", Role.analyst), mine.id, request)


def test_what_is_taken_back_is_gone_with_the_next_call(
    services: Services, owner: Actor, person: Callable[[str, Role], Actor], upload: Callable[..., DatasetRead], run_jobs: Callable[[], None]
) -> None:
    mine = upload(owner, CSV, "mine.csv", visibility="private")
    run_jobs()
    maya = person("maya", Role.analyst)
    request = BoardRequest(charts=[ChartRequest(shape="bar", x="city")])
    services.sharing.put(owner, "dataset", mine.id, "maya@example.org", GrantPut(level="read"))
    for _ in range(2):
        assert services.boards.answer(maya, mine.id, request)
    with open_services(services.settings) as other:  # whoever takes it back does so in another process
        other.sharing.remove(owner, "dataset", mine.id, maya.account_id)
    with pytest.raises(DatasetNotFound):
        services.boards.answer(maya, mine.id, request)


def test_an_unknown_column_fails_in_words(services: Services, owner: Actor, dataset: DatasetRead) -> None:
    with pytest.raises(ColumnUnknown, match="no column named 'nowhere'"):
        services.boards.answer(owner, dataset.id, BoardRequest(filters=[Filter(column="nowhere", op="is_null")]))


def test_the_board_as_a_page_asks_for_it(visit: Callable[..., Visit], dataset: DatasetRead) -> None:
    maya = visit("maya")
    answer = maya.call("explore.board", ref=dataset.id, charts=[{"shape": "histogram", "x": "price"}])["ok"]
    assert answer["charts"][0]["drawn"] == 5
    code = maya.call("explore.code", ref=dataset.id, chart={"shape": "histogram", "x": "price"}, filters=[])["ok"]["code"]
    assert "np.histogram" in code
    assert maya.call("explore.board", ref=dataset.id, charts=[{"shape": "pie", "x": "price"}])["error"]["code"] == "invalid"


CHARTS = [
    ChartRequest(shape="histogram", x="price"),
    ChartRequest(shape="bar", x="city"),
    ChartRequest(shape="bar", x="city", y="price", measure="distinct", color="open it's"),
    ChartRequest(shape="line", x="day", bucket="week", y="price", measure="mean"),
    ChartRequest(shape="line", x="day", bucket="month", color="city"),
    ChartRequest(shape="scatter", x="price", y="area"),
    ChartRequest(shape="heat", x="price", y="city"),
    ChartRequest(shape="heat", x="city", y="open it's", color="price", measure="median"),
    ChartRequest(shape="box", x="city", y="price"),
]


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: f"{chart.shape}-{chart.x}-{chart.y}")
def test_the_code_of_a_chart_runs_and_draws_it(chart: ChartRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame(
        {
            "city": ["Oslo", "Oslo", "Roma", None, "Bern"],
            "price": [1.0, 2.0, None, 4.0, 5.5],
            "area": pd.array([5, 4, None, 2, 1], "Int64"),
            "day": pd.to_datetime(["2024-01-05", "2024-02-05", "2024-02-09", "2024-03-01", None]),
            "open it's": [True, False, True, True, False],
        }
    )
    asked: list[dict[str, Any]] = []

    class Client:
        def get_processed_data(self, ref: str, columns: list[str], filter: list[Filter]) -> pd.DataFrame:
            asked.append({"ref": ref, "filter": filter})
            return frame[columns]

    monkeypatch.setattr("dapp_ext.client.DAPPClient", Client)
    kinds: dict[str, Any] = {"city": "category", "price": "decimal", "area": "integer", "day": "date", "open it's": "boolean"}
    someone, then = Named(id="p", name="Maya"), now()
    columns = [Column(name=name, kind=kind) for name, kind in kinds.items()]
    about: dict[str, Any] = {"status": "ready", "owner": someone, "visibility": "team", "filename": "x.csv", "size": 1, "created_at": then, "updated_at": then}
    read = DatasetRead(id="the-id", name='a "name"\nof two lines', version=3, schema=columns, **about)
    filters = [Filter(column="city", op="in", value=["Oslo", "it's"])]
    scope: dict[str, Any] = {}
    exec(compile(chart_code(read, chart, filters), "chart.py", "exec"), scope)
    import holoviews as hv

    assert hv.render(scope["chart"], backend="bokeh") is not None
    assert asked == [{"ref": "the-id", "filter": filters}]


def test_a_deleted_table_leaves_nothing_behind(services: Services, owner: Actor, dataset: DatasetRead) -> None:
    """Neither where it was deleted nor in another process that had it open."""
    request = BoardRequest(charts=[ChartRequest(shape="bar", x="city")])
    with open_services(services.settings) as other:
        for door in (services, other):
            assert door.boards.answer(owner, dataset.id, request)
            assert _held(door, dataset.id)
        services.trash.put(owner, "dataset", dataset.id)
        assert not _held(services, dataset.id)
        deadline = time.monotonic() + 20
        while _held(other, dataset.id) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not _held(other, dataset.id)


def _held(door: Services, dataset_id: str) -> bool:
    keepers = (door.boards._answers, door.boards._columns)
    return (
        any(key[0] == dataset_id for key in door.boards._schemas)
        or any(key[0] == dataset_id for keeper in keepers for key in keeper._kept)
        or any(key[0] == dataset_id for key in door.context.frames._frames)
    )
