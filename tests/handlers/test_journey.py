"""One table on its whole way over HTTP, with a real worker: uploaded, looked at, taken out, learned from, predicted."""

from __future__ import annotations

import asyncio
import io
import json
import time
from typing import Any

import pyarrow.ipc
import pyarrow.parquet
import pytest
from traitlets.config import Config

from tests.handlers.serving import Caller

ROWS = [(f"p{each % 3}", each % 60, each % 60 * 1.5 + each % 3 * 20, f"2024-01-{each % 28 + 1:02d}") for each in range(240)]
TABLE = ("kind,number,price,day\n" + "".join(f"{kind},{number},{price},{day}\n" for kind, number, price, day in ROWS)).encode()


@pytest.fixture
def jp_server_config(jp_server_config: Config) -> Config:
    jp_server_config.DappExtension.start_worker = True
    return jp_server_config


async def _done(caller: Caller, path: str, seconds: float = 150) -> dict[str, Any]:
    """Wait until a dataset, model or job is worked on no more."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found: dict[str, Any] = (await caller("GET", path)).json
        if found["status"] not in ("processing", "queued", "training", "running"):
            return found
        await asyncio.sleep(0.2)
    raise AssertionError(f"{path} is not done: {found}")


async def test_the_whole_way(owner: Caller) -> None:
    made = (await owner("POST", "/datasets", TABLE, filename="prices.csv")).json
    dataset = await _done(owner, f"/datasets/{made['id']}")
    assert (dataset["status"], dataset["rows"]) == ("ready", 240), dataset
    assert [each["name"] for each in dataset["schema"]] == ["kind", "number", "price", "day"]
    await _look(owner)
    await _take_out(owner)
    await _learn(owner)


async def _look(owner: Caller) -> None:
    profile = (await owner("GET", "/datasets/prices/profile")).json
    assert profile["rows"] == 240
    assert [each["distinct"] for each in profile["columns"]][:2] == [3, 60]
    page = (await owner("GET", "/datasets/prices/rows", offset=10, limit=2)).json
    assert (page["total"], page["offset"], [row[1] for row in page["rows"]]) == (240, 10, [10, 11])
    assert page["rows"][0][3] == "2024-01-11"
    asked = {"sort": [{"column": "number", "descending": True}], "filters": [{"column": "kind", "op": "eq", "value": "p1"}], "columns": ["number"], "limit": 3}
    found = (await owner("POST", "/datasets/prices/rows", asked)).json
    assert (found["total"], found["rows"]) == (80, [[58], [58], [58]])
    aggregate = {"group_by": [{"column": "kind"}], "measures": [{"op": "count"}, {"op": "max", "column": "number"}]}
    answer = (await owner("POST", "/datasets/prices/query", aggregate)).json
    assert sorted(answer["rows"]) == [["p0", 80, 57], ["p1", 80, 58], ["p2", 80, 59]]
    unknown = await owner("POST", "/datasets/prices/rows", {"columns": ["__class__; --"]})
    assert (unknown.status, unknown.code) == (422, "column_unknown")
    other = await owner("GET", "/datasets/prices/rows", version=7)
    assert other.status == 404


async def _take_out(owner: Caller) -> None:
    original = await owner("GET", "/datasets/prices/original")
    assert original.body == TABLE
    filters = json.dumps([{"column": "number", "op": "lt", "value": 3}])
    text = await owner("GET", "/datasets/prices/data", format="csv", columns=["number", "kind"], filters=filters)
    assert text.body.decode().split() == ["number,kind", *("0,p0", "1,p1", "2,p2") * 4]
    assert "attachment" in text.headers["Content-Disposition"]
    arrow = await owner("GET", "/datasets/prices/data", format="arrow")
    assert pyarrow.ipc.open_stream(io.BytesIO(arrow.body)).read_all().num_rows == 240
    parquet = await owner("GET", "/datasets/prices/data", format="parquet")
    assert pyarrow.parquet.read_table(io.BytesIO(parquet.body)).column("number").to_pylist() == [row[1] for row in ROWS]
    sheet = await owner("GET", "/datasets/prices/data", format="xlsx")
    assert sheet.body.startswith(b"PK")
    refused = await owner("GET", "/datasets/prices/data", format="pickle")
    assert (refused.status, refused.code) == (422, "invalid")


async def _learn(owner: Caller) -> None:
    asked = {"dataset": "prices", "target": "price", "name": "pricing", "trials": 2, "time_budget": 60, "families": ["linear"]}
    started = await owner("POST", "/models", asked)
    assert started.status == 202, started.body
    model = await _done(owner, "/models/pricing")
    assert (model["status"], model["task"]) == ("ready", "regression"), model
    assert (await owner("GET", "/models/pricing/leaderboard")).json["trials"]
    results = (await owner("GET", "/models/pricing/results")).json
    assert results["target"] == "price"
    given = {"rows": [{"kind": "p0", "number": 40, "day": "2024-01-10"}, {"kind": "p2", "number": 10, "day": "2024-01-11"}]}
    predicted = (await owner("POST", "/models/pricing/predict", given)).json
    assert [round(each["prediction"]) for each in predicted["predictions"]] == pytest.approx([60, 55], abs=6)
    nothing = await owner("POST", "/models/pricing/predict", {"rows": []})
    assert (nothing.status, nothing.code) == (422, "invalid")
    scored = await owner("POST", "/models/pricing/predictions", {"dataset": "prices", "name": "scored"})
    assert scored.status == 202
    assert (await _done(owner, f"/jobs/{scored.json['job_id']}"))["status"] == "succeeded"
    rows = (await owner("GET", "/datasets/scored/rows", limit=1)).json
    assert "prediction" in [each["name"] for each in rows["columns"]]
    file = await owner("GET", "/models/pricing/export", format="skops")
    assert file.body.startswith(b"PK")
    assert (await owner("POST", "/models/pricing/stop")).status == 409
    ended = (await owner("GET", "/jobs", status="succeeded")).json["items"]
    assert [each["kind"] for each in ended] == ["predict", "train", "ingest"]
    assert (await owner("POST", f"/jobs/{ended[0]['id']}/cancel")).code == "conflict"
    assert (await owner("DELETE", "/models/pricing")).status == 204
    assert (await owner("GET", "/models/pricing")).code == "model_not_found"
