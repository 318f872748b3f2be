"""Datasets over a real server: what went in comes back as pandas reads it."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from dapp_ext.client import DAPPClient, Dataset, Filter, sample_path
from dapp_ext.errors import ColumnUnknown, DatasetNotFound, FileUnreadable, Invalid, NameTaken
from dapp_ext.schema.events import Event

from .test_drawing import checked

SECONDS = 20


@pytest.fixture(scope="module")
def penguins() -> pd.DataFrame:
    return pd.read_csv(sample_path("penguins"))


@pytest.fixture
def people(client: DAPPClient) -> Dataset:
    """The income sample, uploaded once for all tests."""
    found = [each for each in client.datasets("people") if each.name == "people"]
    return found[0] if found else client.upload_file(sample_path("adult_income"), name="people")


def test_upload_tells_what_was_read(people: Dataset) -> None:
    assert (people.name, people.status, people.rows, len(people.columns)) == ("people", "ready", 3000, 15)
    assert people.kinds["age"] == "integer"
    assert people.likely_target == "income"
    assert "3,000 rows" in repr(people)
    assert "people" in checked(people._repr_html_()).text
    assert str(people) == people.id


@pytest.mark.parametrize("name", ["adult_income", "penguins"])
def test_frame_equals_what_pandas_reads(client: DAPPClient, name: str) -> None:
    data = client.upload_file(sample_path(name))
    pd.testing.assert_frame_equal(client.get_processed_data(data), pd.read_csv(sample_path(name), skipinitialspace=True))


def test_semicolons_decimal_commas_and_dates(client: DAPPClient) -> None:
    data = client.upload_file(sample_path("seoul_bikes"))
    original = pd.read_csv(sample_path("seoul_bikes"), sep=";", decimal=",", encoding="cp1252")
    original["Date"] = pd.to_datetime(original["Date"], format="%d.%m.%Y")
    frame = client.get_processed_data(data)
    frame["Date"] = frame["Date"].astype(original["Date"].dtype)
    for column in ("Holiday", "Functioning Day"):  # columns of two values may come as true and false
        if frame[column].dtype == bool:
            original[column] = original[column].isin(["Yes", "Holiday"])
    pd.testing.assert_frame_equal(frame, original)


def as_xlsx(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_excel(buffer, index=False)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("filename", "encode"),
    [
        ("penguins.xlsx", as_xlsx),
        ("penguins.parquet", lambda frame: frame.to_parquet()),
        ("penguins.json", lambda frame: frame.to_json(orient="records").encode()),
        ("penguins.jsonl", lambda frame: frame.to_json(orient="records", lines=True).encode()),
    ],
)
def test_every_format_gives_the_same_frame(client: DAPPClient, penguins: pd.DataFrame, tmp_path: Path, filename: str, encode: Any) -> None:
    path = tmp_path / filename
    path.write_bytes(encode(penguins))
    frame = client.get_processed_data(client.upload_file(path))
    whole = frame.select_dtypes("Int64").columns  # JSON has no broken numbers where all are whole
    pd.testing.assert_frame_equal(frame.astype(dict.fromkeys(whole, "float64")), penguins, check_dtype=False)


@pytest.mark.parametrize("convert", [pd.DataFrame, pl.from_pandas, lambda frame: pl.from_pandas(frame).to_arrow()])
def test_frames_go_in_and_come_back(client: DAPPClient, penguins: pd.DataFrame, convert: Any) -> None:
    data = client.upload_file(convert(penguins))
    pd.testing.assert_frame_equal(client.get_processed_data(data), penguins)


def test_columns_in_the_order_asked_for(client: DAPPClient, people: Dataset) -> None:
    assert list(client.get_processed_data(people, ["sex", "age"]).columns) == ["sex", "age"]
    assert list(client.get_processed_data("people", "age").columns) == ["age"]
    with pytest.raises(ColumnUnknown):
        client.get_processed_data(people, ["no such column"])


@pytest.mark.parametrize(
    ("expression", "query"),
    [
        ("age > 30 and sex == 'Male'", "age > 30 and sex == 'Male'"),
        ("30 <= age < 40", "30 <= age < 40"),
        ("`hours-per-week` >= 60", "`hours-per-week` >= 60"),
        ("education in ['Masters', 'Doctorate']", "education in ['Masters', 'Doctorate']"),
        ("workclass is None", "workclass.isna()"),
        ("workclass is not None and sex != 'Male'", "workclass.notna() and sex != 'Male'"),
        ("'Married' in `marital-status`", "`marital-status`.str.contains('Married', case=False)"),
        ("age > 200", "age > 200"),
    ],
)
def test_filter_selects_the_same_rows_as_pandas(client: DAPPClient, people: Dataset, expression: str, query: str) -> None:
    everything = client.get_processed_data(people)
    expected = everything.query(query, engine="python").reset_index(drop=True)
    pd.testing.assert_frame_equal(client.get_processed_data(people, filter=expression), expected)


def test_filters_as_objects(client: DAPPClient, people: Dataset) -> None:
    frame = client.get_processed_data(people, ["age"], [Filter(column="age", op="between", value=(30, 31))])
    assert set(frame["age"]) == {30, 31}
    with pytest.raises(ColumnUnknown):
        client.get_processed_data(people, filter="nothing == 1")
    with pytest.raises(Invalid):
        client.get_processed_data(people, filter="age >")


def test_first_rows_and_profile(client: DAPPClient, people: Dataset) -> None:
    assert people.head(3)["age"].tolist() == client.get_processed_data(people)["age"].head(3).tolist()
    profile = client.profile(people)
    assert profile.rows == 3000
    assert profile.to_frame().loc["age", "kind"] == "integer"
    assert "workclass" in checked(profile._repr_html_()).text


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02\x03" * 100, b"PK\x03\x04 not really a workbook"])
def test_unreadable_file_raises_its_sentence(client: DAPPClient, content: bytes) -> None:
    with pytest.raises(FileUnreadable) as caught:
        client.upload_file(content, name=f"broken {len(content)}")
    assert len(caught.value.message) > 20


def test_unreadable_file_is_told_by_the_dataset_later(client: DAPPClient) -> None:
    data = client.upload_file(b"PK\x03\x04 not really a workbook", name="told later", wait=False)
    with pytest.raises(FileUnreadable):
        data.wait(SECONDS)
    assert client.dataset("told later").status == "failed"


def test_names(client: DAPPClient) -> None:
    odd = "Umsätze 50% / Q1?#&+"
    data = client.upload_file(b"a,b\n1,x\n2,y\n", name=odd)
    assert client.dataset(odd) == data
    assert odd in repr(client.datasets())
    with pytest.raises(NameTaken):
        client.upload_file(b"a,b\n1,x\n2,y\n", name=odd)
    assert data.rename("another name").name == "another name"
    assert data.share("private").read.visibility == "private"
    data.delete()
    with pytest.raises(DatasetNotFound):
        client.dataset("another name")
    with pytest.raises(Invalid):
        client.upload_file(b"a\n1\n", name=" ")
    with pytest.raises(Invalid):
        client.dataset(3)  # type: ignore[arg-type]


def test_reading_options(client: DAPPClient) -> None:
    data = client.upload_file(b"a;b\n1,5;x\n2,5;y\n", name="options", read={"delimiter": ";", "decimal": ","})
    assert client.get_processed_data(data)["a"].tolist() == [1.5, 2.5]
    with pytest.raises(Invalid, match="delimiter"):
        client.upload_file(b"a\n1\n", read={"delimeter": ";"})


def test_read_options_of_every_kind_reach_the_reader(client: DAPPClient) -> None:
    text = "% letterhead\nname;amount;day;note\nA;1.234,5;01/02/2024;'x;y'\nB;-;13/02/2024;z\n".encode("utf-16")
    read = {
        "delimiter": ";", "quote": "'", "escape": "none", "encoding": "utf-16", "decimal": ",", "thousands": ".", "date_order": "day_first",
        "header": True, "header_row": 2, "comment": "none", "extra_cells": "drop", "missing": ["-"], "types": {"name": "text"},
    }  # fmt: skip
    data = client.upload_file(text, name="every option", read=read)
    frame = client.get_processed_data(data)
    assert frame["amount"].tolist()[0] == 1234.5
    assert frame["amount"].isna().tolist() == [False, True]
    assert frame["day"].dt.strftime("%Y-%m-%d").tolist() == ["2024-02-01", "2024-02-13"]
    assert frame["note"].tolist() == ["x;y", "z"]


def test_last_used_dataset_is_meant(client: DAPPClient) -> None:
    with pytest.raises(Invalid, match="Which dataset"):
        client.get_processed_data()
    client.upload_file(b"a,b\n7,x\n8,y\n", name="the last one")
    assert client.get_processed_data()["a"].tolist() == [7, 8]
    assert client.profile().rows == 2


def test_feed_tells_of_an_upload(client: DAPPClient) -> None:
    heard: list[Event] = []
    ready = threading.Event()

    def hear(event: Event) -> None:
        heard.append(event)
        if event.type == "dataset.ready":
            ready.set()

    with client.on("dataset.*", hear):
        before = client.connection.feed.cursor
        data = client.upload_file(b"a,b\n1,x\n2,y\n", name="on the feed")
        assert ready.wait(SECONDS)
    own = [event.type for event in heard if event.subject.id == data.id]
    assert own[0] == "dataset.uploaded"
    assert own[-1] == "dataset.ready"
    listed = client.events(before)
    assert [event.id for event in listed if event.type.startswith("dataset.")] == [event.id for event in heard]
    assert "on the feed" in repr(listed)
    assert client.events(listed[-1].id) == []


def test_jobs_are_listed(client: DAPPClient, people: Dataset) -> None:
    jobs = client.jobs()
    assert "ingest" in repr(jobs)
    job = client.job(jobs[0])
    assert job.done
    assert job.wait(SECONDS).status == job.status
    assert job.kind in checked(jobs._repr_html_()).text
