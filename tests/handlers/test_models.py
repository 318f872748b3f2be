"""Models over HTTP: versions, champions, steering, batches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from dapp_ext.schema.accounts import Role
from dapp_ext.services import Services, files
from dapp_ext.store.tables import Model
from tests.handlers.serving import Caller

SAMPLES = Path(__file__).parents[2] / "dapp_ext" / "samples"
Run = Callable[[], None]


async def _train(owner: Caller, run_jobs: Run, **given: Any) -> dict[str, Any]:
    if (await owner("GET", "/datasets/penguins")).status == 404:
        await owner("POST", "/datasets", (SAMPLES / "penguins.csv").read_bytes(), filename="penguins.csv")
        await asyncio.to_thread(run_jobs)
    recipe = {"dataset": "penguins", "target": "species", "trials": 1, "families": ["linear"], "name": "Birds", **given}
    made = await owner("POST", "/models", recipe)
    assert made.status == 202, made.json
    await asyncio.to_thread(run_jobs)
    found: dict[str, Any] = (await owner("GET", f"/models/{made.json['id']}")).json
    return found


async def test_versions_and_champions(owner: Caller, run_jobs: Run, signed_in: Callable[[Role], Caller]) -> None:
    first, second = await _train(owner, run_jobs), await _train(owner, run_jobs, seed=1)
    assert (first["version"], second["version"], second["status"]) == (1, 2, "ready")
    promoted = await owner("POST", f"/models/{first['id']}/promote", {"reason": "Simpler."})
    assert (promoted.status, promoted.json["champion"]) == (200, True)
    assert (await owner("GET", "/models/Birds")).json["id"] == first["id"]
    assert (await owner("GET", "/models/Birds%402")).json["id"] == second["id"]
    await owner("POST", "/models/Birds%402/promote", {"reason": "Better."})
    assert (await owner("POST", "/models/Birds/rollback", {"reason": "Not better."})).json["version"] == 1
    listing = (await owner("GET", "/models/Birds/versions")).json
    assert (listing["champion"], [each["version"] for each in listing["versions"]]) == (1, [2, 1])
    assert [each["reason"] for each in listing["promotions"]] == ["Not better.", "Better.", "Simpler."]
    compared = await owner("GET", "/models/compare", a="Birds@1", b="Birds@2")
    assert compared.json["a"]["version"] == 1
    assert (await owner("GET", "/models/compare", a="Birds@1")).status == 422
    assert (await owner("POST", "/models/Birds/promote", {})).status == 422
    noted = await owner("PATCH", f"/models/{first['id']}", {"notes": "Pilot.", "tags": ["pilot"]})
    assert (noted.json["notes"], noted.json["tags"]) == ("Pilot.", ["pilot"])
    viewer = signed_in(Role.viewer)
    assert (await viewer("POST", "/models/Birds/promote", {"reason": "Mine."})).status == 403
    assert (await viewer("GET", "/models/Birds/versions")).status == 200
    assert (await owner("GET", "/models/Birds/results")).json["test_looks"] >= 1


async def test_steering_and_refusals(owner: Caller, run_jobs: Run) -> None:
    done = await _train(owner, run_jobs)
    late = await owner("POST", f"/models/{done['id']}/extend", {"seconds": 60})
    assert (late.status, late.code) == (409, "conflict")
    waiting = (await owner("POST", "/models", {"dataset": "penguins", "target": "species"})).json
    assert (await owner("POST", f"/models/{waiting['id']}/extend", {"seconds": 60})).json["time_budget"] == 120
    assert (await owner("POST", f"/models/{waiting['id']}/skip", {"family": "forest"})).json["skipped"] == ["forest"]
    assert (await owner("POST", f"/models/{waiting['id']}/skip", {"family": "magic"})).status == 422
    for wrong in ({"params": {"linear": {"zzz": 1}}}, {"metric": "zzz"}, {"validation": "time"}):
        refused = await owner("POST", "/models", {"dataset": "penguins", "target": "species", **wrong})
        assert (refused.status, refused.code) == (422, "invalid"), wrong
    await owner("POST", f"/jobs/{waiting['job_id']}/cancel")
    assert (await owner("GET", f"/models/{waiting['id']}")).json["status"] == "cancelled"


async def test_a_batch_is_one_job(owner: Caller, run_jobs: Run) -> None:
    await _train(owner, run_jobs)
    refused = await owner("POST", "/models/batch", {"datasets": ["penguins", "nothing"], "target": "species"})
    assert (refused.status, refused.json["error"]["details"]["datasets"][0]["code"]) == (422, "dataset_not_found")
    batch = await owner("POST", "/models/batch", {"datasets": ["penguins"], "target": "species", "trials": 1, "families": ["linear"]})
    assert (batch.status, batch.json["kind"], len(batch.json["lines"])) == (202, "batch", 1)
    await asyncio.to_thread(run_jobs)
    assert (await owner("GET", f"/jobs/{batch.json['id']}")).json["status"] == "succeeded"


@pytest.mark.parametrize("path", ["/models/batch", "/models/compare"])
async def test_words_that_are_addresses_are_no_names(owner: Caller, path: str) -> None:
    answer = await owner("DELETE", path)
    assert (answer.status, answer.code) == (405, "method_not_allowed")


async def test_in_use(owner: Caller, run_jobs: Run, signed_in: Callable[[Role], Caller], services: Services) -> None:
    rows = "\n".join(f"{n * 37 % 101},{n * 7 % 13},{'gone' if n * 37 % 101 + n * 7 % 13 > 75 else 'stays'}" for n in range(300))
    await owner("POST", "/datasets", f"a,b,y\n{rows}\n".encode(), filename="people.csv")
    await asyncio.to_thread(run_jobs)
    model = (await owner("POST", "/models", {"dataset": "people", "target": "y", "trials": 1, "families": ["linear"], "name": "Leavers"})).json
    await asyncio.to_thread(run_jobs)
    path = f"/models/{model['id']}"
    saved = await owner("POST", f"{path}/threshold", {"by": "value", "value": 0.8})
    assert (saved.status, saved.json["version"], saved.json["threshold"], saved.json["positive"]) == (200, 1, 0.8, "gone")
    assert (await owner("POST", f"{path}/threshold", {"by": "value", "value": 1.8})).status == 422
    assert (await owner("GET", f"{path}/threshold")).json["items"][0]["threshold"] == 0.8
    viewer = signed_in(Role.viewer)
    answer = (await viewer("POST", "/models/Leavers/predict", {"rows": [{"a": 100, "b": 12}]})).json
    assert (answer["model_version"], answer["policy"], answer["predictions"][0]["prediction"]) == (1, {"version": 1, "threshold": 0.8}, "gone")
    assert answer["at"]
    for rows, status in (([], 422), ([{}], 422), ([{"zzz": 1}], 422), ([{"a": [1]}], 422)):
        assert (await viewer("POST", "/models/Leavers/predict", {"rows": rows})).status == status
    fit = (await viewer("POST", f"{path}/check", {"columns": [{"name": "A"}, {"name": "b"}]})).json
    assert (fit["missing"], fit["renamed"][0]["perhaps"]) == (["a"], "A")
    sent = await owner("POST", f"{path}/predictions/file", b"a,b\n1,2\n90,12\n", filename="new.csv", name="Scored")
    assert (sent.status, sent.json["dataset_name"]) == (202, "Scored")
    await asyncio.to_thread(run_jobs)
    assert (await owner("GET", "/datasets/Scored")).json["rows"] == 2
    assert (await viewer("POST", f"{path}/predictions/file", b"a,b\n1,2\n", filename="new.csv")).status == 403
    await asyncio.to_thread(services.predictions.flush_log)
    found = (await viewer("GET", f"{path}/monitoring", days=2)).json
    assert (found["calls"], found["errors"], found["rows"]) == (5, 3, 3)
    assert (await viewer("GET", f"{path}/predictions")).status == 403
    assert answer["id"] in [call["id"] for call in (await owner("GET", f"{path}/predictions")).json["items"]]


async def test_a_pipeline_is_brought_along(owner: Caller, run_jobs: Run, signed_in: Callable[[Role], Caller]) -> None:
    rows = [(n * 37 % 101, n * 7 % 13) for n in range(200)]
    table = "a,b,y\n" + "".join(f"{a},{b},{'gone' if a + b > 60 else 'stays'}\n" for a, b in rows)
    await owner("POST", "/datasets", table.encode(), filename="people.csv")
    await asyncio.to_thread(run_jobs)
    pipeline = LogisticRegression().fit(pd.DataFrame(rows, columns=["a", "b"]), ["gone" if a + b > 60 else "stays" for a, b in rows])
    asked = {"name": "Mine", "dataset": "people", "target": "y"}
    made = await owner("POST", "/models/register", skops.io.dumps(pipeline), **asked)
    assert (made.status, made.json["origin"], made.json["status"]) == (202, "registered", "queued")
    await asyncio.to_thread(run_jobs)
    answer = await owner("POST", "/models/Mine/predict", {"rows": [{"a": 100, "b": 10}, {"a": 1, "b": 1}]})
    assert [each["prediction"] for each in answer.json["predictions"]] == ["gone", "stays"]
    foreign = make_pipeline(FunctionTransformer(pd.DataFrame.abs), LogisticRegression()).fit(
        pd.DataFrame(rows, columns=["a", "b"]), pipeline.predict(pd.DataFrame(rows, columns=["a", "b"]))
    )
    refused = await owner("POST", "/models/register", skops.io.dumps(foreign), **asked)
    assert (refused.status, refused.code) == (422, "model_type_refused")
    assert (await owner("POST", "/models/register", b"x", name="Mine")).status == 422
    assert (await signed_in(Role.viewer)("POST", "/models/register", skops.io.dumps(pipeline), **asked)).status == 403


async def test_predicted_explained_and_refused(owner: Caller, run_jobs: Run, services: Services, signed_in: Callable[[Role], Caller]) -> None:
    rows = "\n".join(f"{n * 37 % 101},{n * 7 % 13},{'gone' if n * 37 % 101 + n * 7 % 13 > 60 else 'stays'}" for n in range(300))
    await owner("POST", "/datasets", f"a,b,y\n{rows}\n".encode(), filename="moves.csv")
    await asyncio.to_thread(run_jobs)
    advice = await owner("POST", "/models/advice", {"dataset": "moves", "target": "y"})
    assert (advice.status, advice.json["task"]["task"], advice.json["validation"]["validation"]) == (200, "binary", "stratified")
    assert (await owner("POST", "/models/advice", {"dataset": "moves", "target": "nothing"})).status == 422
    viewer = signed_in(Role.viewer)
    assert (await viewer("POST", "/models/advice", {"dataset": "moves", "target": "y"})).status == 403
    model = (await owner("POST", "/models", {"dataset": "moves", "target": "y", "trials": 1, "families": ["linear"], "name": "Movers"})).json
    await asyncio.to_thread(run_jobs)
    with services.context.database.read() as session:
        path = files.stored_pass(services.context, session, session.get(Model, model["id"]).artifact_id).path  # type: ignore[union-attr]
    whole = path.read_bytes()
    path.write_bytes(whole[:-50])
    for _ in range(2):
        broken = await viewer("POST", "/models/Movers/predict", {"rows": [{"a": 1, "b": 2}]})
        assert (broken.status, broken.code) == (500, "integrity_failed")
    path.write_bytes(whole)
    answers = await asyncio.gather(*(viewer("POST", "/models/Movers/predict", {"rows": [{"a": n % 100, "b": 2}]}) for n in range(40)))
    assert {each.status for each in answers} == {200}
    for each, again in zip(answers, answers[::-1], strict=True):
        assert len(each.json["predictions"]) == len(again.json["predictions"]) == 1
    assert [each.json["predictions"][0]["prediction"] for each in answers] == ["stays"] * 40
    assert len({each.json["id"] for each in answers}) == 40
    told = (await viewer("POST", "/models/Movers/predict", {"rows": [{"a": 99, "b": 2}], "explain": True})).json
    assert told["predictions"][0]["reasons"]["reasons"][0]["column"] == "a"
    for body, status in (
        (b'{"rows": [{"a": NaN}]}', 400),
        (b'{"rows": [{"a": 1e999}]}', 400),
        (b'{"rows": [{"a": 1, "a": 2}]}', 400),
        (b'{"rows": [{"a": 1, "b": 1}], "version": 9}', 404),
        (b'{"rows": [{"a": 1, "b": 1}], "explain": "yes"}', 422),
    ):
        assert (await viewer("POST", "/models/Movers/predict", body, headers={"Content-Type": "application/json"})).status == status
    assert (await viewer("POST", "/auth/logout")).status == 204
    assert (await viewer("POST", "/models/Movers/predict", {"rows": [{"a": 1, "b": 2}]})).status == 401
    await owner("DELETE", "/models/Movers")
    assert (await owner("POST", "/models/Movers/predict", {"rows": [{"a": 1, "b": 2}]})).status == 404


async def test_a_model_is_scored_again_without_a_column(owner: Caller, run_jobs: Run, signed_in: Callable[[Role], Caller]) -> None:
    model = await _train(owner, run_jobs)
    asked = await owner("POST", f"/models/{model['id']}/rescore", {"columns": ["bill_length_mm"], "time_budget": 5})
    assert (asked.status, asked.json["kind"]) == (202, "rescore")
    await asyncio.to_thread(run_jobs)
    assert (await owner("GET", f"/jobs/{asked.json['id']}")).json["status"] == "succeeded"
    (second,) = (await owner("GET", f"/models/{model['id']}/results")).json["second_scores"]
    assert (second["columns"], second["before"] > second["after"]) == (["bill_length_mm"], True)
    assert (await signed_in(Role.viewer)("POST", f"/models/{model['id']}/rescore", {"columns": ["bill_length_mm"]})).status == 403
    assert (await owner("POST", f"/models/{model['id']}/rescore", {"columns": ["nothing"]})).json["error"]["code"] == "column_unknown"
