"""The main job through every door of the running product: files in, sealed, learned from, seen live everywhere."""

from __future__ import annotations

import functools
import io
import json
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import psutil
import pytest
from websockets.sync.client import ClientConnection, connect

from dapp_ext.client import DAPPClient
from dapp_ext.errors import ColumnUnknown, Denied, FileUnreadable, LoginRefused, NameTaken
from tests.conftest import PASSWORD
from tests.stories.conftest import Running

pytestmark = pytest.mark.story
SAMPLES = Path(__file__).parents[2] / "dapp_ext" / "samples"
API = "/dapp/api/v1"


@pytest.fixture(scope="module")
def people(running: Running) -> dict[str, str]:
    """An account in each role, made at the shell."""
    found = {}
    for role in ("admin", "analyst", "viewer"):
        found[role] = f"{role}@example.org"
        running.command("users", "add", found[role], "--role", role, "--name", role.title(), "--password-stdin", given=f"{PASSWORD}\n")
    return found


@pytest.fixture(scope="module")
def client(running: Running, people: dict[str, str]) -> Iterator[DAPPClient]:
    with DAPPClient(running.address("jupyterlab")).login(people["analyst"], PASSWORD) as found:
        yield found


@pytest.fixture(scope="module")
def adult(client: DAPPClient) -> Any:
    return client.upload_file(SAMPLES / "adult_income.csv")


def _login(running: Running, email: str) -> httpx.Client:
    """REST with only a login."""
    base = running.address("jupyterlab") + API
    answer = httpx.post(f"{base}/auth/login", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return httpx.Client(base_url=base, headers={"Authorization": f"Bearer {answer.json()['access_token']}"}, timeout=30)


def _socket(running: Running, rest: httpx.Client, after: str | None = None) -> ClientConnection:
    ticket = rest.post("/auth/ticket", json={"purpose": "websocket"}).json()["ticket"]
    url = running.address("jupyterlab").replace("http", "ws", 1) + f"{API}/events/ws" + (f"?after={after}" if after else "")
    return connect(url, subprotocols=["dapp.v1", f"dapp.ticket.{ticket}"], origin=running.address("jupyterlab"))  # type: ignore[arg-type, list-item]


def test_the_client_does_the_job(client: DAPPClient, adult: Any) -> None:
    original = pd.read_csv(SAMPLES / "adult_income.csv", skipinitialspace=True, na_values=["?"])
    frame = client.get_processed_data(adult)
    assert list(frame.columns) == list(original.columns)
    for name in original.columns:
        left, right = frame[name].astype(object).where(frame[name].notna(), None), original[name].astype(object).where(original[name].notna(), None)
        assert left.tolist() == right.tolist(), name
    model = client.train_model(adult, target="income", time_budget=15)
    model.wait()
    results = client.get_results(model)
    auc = next(score for score in results.read.scores if score.name == "roc_auc")
    assert 0.85 < auc.value < 0.97
    assert auc.low < auc.value < auc.high
    assert auc.baseline == pytest.approx(0.5)
    assert results.sentence.endswith(".")
    answers = client.predict(model, frame.head())
    assert set(answers["prediction"]) <= {"<=50K", ">50K"}
    probabilities = answers[[name for name in answers.columns if name.startswith("probability_")]]
    assert probabilities.sum(axis=1).tolist() == pytest.approx([1.0] * 5)


@pytest.mark.parametrize("format", ["csv", "xlsx", "parquet", "json"])
def test_every_format_comes_back_as_it_went_in(client: DAPPClient, tmp_path: Path, format: str) -> None:
    original = pd.read_csv(SAMPLES / "penguins.csv", encoding="utf-8-sig")
    path = tmp_path / f"penguins_{format}.{format}"
    if format == "csv":
        original.to_csv(path, index=False)
    elif format == "xlsx":
        original.to_excel(path, index=False)
    elif format == "parquet":
        original.to_parquet(path, index=False)
    else:
        original.to_json(path, orient="records")
    readers = {"csv": pd.read_csv, "xlsx": functools.partial(pd.read_excel, engine="openpyxl"), "parquet": pd.read_parquet, "json": pd.read_json}
    read = readers[format](path)  # type: ignore[operator]
    frame = client.get_processed_data(client.upload_file(path))
    assert frame.shape == read.shape
    for name in read.columns:
        numeric = pd.api.types.is_numeric_dtype(read[name])
        if numeric:
            pd.testing.assert_series_equal(frame[name].astype(float), read[name].astype(float), check_names=False)
        else:
            left, right = frame[name].astype(object).where(frame[name].notna(), None), read[name].astype(object).where(read[name].notna(), None)
            assert left.tolist() == right.tolist()


def test_rest_does_the_job_with_only_a_login(running: Running, people: dict[str, str]) -> None:
    with _login(running, people["analyst"]) as rest:
        data = (SAMPLES / "penguins.csv").read_bytes()
        made = rest.post(
            "/datasets", params={"filename": "penguins.csv", "name": "By REST"}, content=data, headers={"Content-Type": "application/octet-stream"}
        )
        assert made.status_code == 202, made.text
        dataset = _until(lambda: rest.get(f"/datasets/{made.json()['id']}").json(), lambda each: each["status"] != "processing")
        assert (dataset["status"], dataset["rows"]) == ("ready", 344)
        asked = rest.post("/models", json={"dataset": "By REST", "target": "species", "time_budget": 8})
        assert asked.status_code == 202, asked.text
        model = _until(lambda: rest.get(f"/models/{asked.json()['id']}").json(), lambda each: each["status"] in ("ready", "failed"))
        assert model["status"] == "ready", model
        row = {column["name"]: value for column, value in zip(dataset["schema"], rest.get("/datasets/By REST/rows?limit=1").json()["rows"][0], strict=True)}
        answer = rest.post(f"/models/{model['id']}/predict", json={"rows": [row]}).json()
        assert answer["predictions"][0]["prediction"] == "Adelie"
        batch = rest.post(f"/models/{model['id']}/predictions", json={"dataset": "By REST"}).json()
        scored = _until(lambda: rest.get(f"/datasets/{batch['dataset_id']}").json(), lambda each: each["status"] != "processing")
        assert "prediction" in [column["name"] for column in scored["schema"]]


def _until(look: Any, good: Any, seconds: float = 90.0) -> Any:
    until = time.monotonic() + seconds
    while not good(found := look()):
        assert time.monotonic() < until, found
        time.sleep(0.1)
    return found


def test_the_feed_resumes_without_a_gap(running: Running, people: dict[str, str]) -> None:
    with _login(running, people["analyst"]) as rest:
        start = rest.get("/events", params={"limit": 500}).json()["next"]
        while (page := rest.get("/events", params={"after": start, "limit": 500}).json())["items"]:
            start = page["next"]
        stop = threading.Event()
        producer = threading.Thread(target=_produce, args=(rest, stop))
        producer.start()
        received: list[str] = []
        cursor = start
        for _ in range(5):
            with _socket(running, rest, cursor) as socket:
                taken = 0
                while taken < 6:
                    message = json.loads(socket.recv(timeout=20))
                    if message["type"] == "event":
                        received.append(message["event"]["id"])
                        taken += 1
                cursor = received[-1]
                socket.socket.close()  # dropped, not closed
        stop.set()
        producer.join()
        everything = [event["id"] for event in rest.get("/events", params={"after": start, "limit": 500}).json()["items"]]
    assert received == everything[: len(received)]
    assert len(received) == 30


def _produce(rest: httpx.Client, stop: threading.Event) -> None:
    number = 0
    while not stop.is_set() and number < 200:
        number += 1
        data = f"a,b\n1,{number}\n2,3\n".encode()
        rest.post("/datasets", params={"filename": f"small {number}.csv"}, content=data, headers={"Content-Type": "application/octet-stream"})
        time.sleep(0.05)


def test_bad_input_is_one_clear_sentence(running: Running, client: DAPPClient, adult: Any, people: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(LoginRefused, match="Email or password"):
        DAPPClient(running.address("jupyterlab")).login(people["viewer"], "not the password")
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + os.urandom(3000))
    with pytest.raises(FileUnreadable):
        client.upload_file(tmp_path / "picture.csv")
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(FileUnreadable, match="empty"):
        client.upload_file(tmp_path / "empty.csv")
    with pytest.raises(ColumnUnknown, match="salary"):
        client.train_model(adult, target="salary")
    with pytest.raises(NameTaken):
        client.upload_file(SAMPLES / "adult_income.csv", name=adult.name)
    viewer = DAPPClient(running.address("jupyterlab")).login(people["viewer"], PASSWORD)
    with viewer, pytest.raises(Denied, match="viewer"):
        viewer.upload_file(SAMPLES / "adult_income.csv")


def test_a_killed_worker_costs_nothing(running: Running, client: DAPPClient, adult: Any) -> None:
    model = client.train_model(adult, target="income", time_budget=20)
    _until(lambda: model.board().trials, lambda trials: len(trials) >= 1)
    client.upload_file(SAMPLES / "penguins.csv", name="Read while a training runs")
    assert model.refresh().status == "training"
    before = len(model.board().trials)
    worker = next(process for process in psutil.Process(running.process.pid).children() if "dapp_ext.worker" in " ".join(process.cmdline()))
    children = worker.children(recursive=True)
    os.kill(worker.pid, signal.SIGKILL)
    model.wait()
    assert len(client.get_results(model).leaderboard)
    assert len(model.board().trials) >= before
    assert client.job(model.read.job_id).read.attempt == 2
    _, alive = psutil.wait_procs(children, timeout=15)
    assert alive == [], "what the killed worker had started went on"


def test_no_plaintext_is_on_the_disk(running: Running, client: DAPPClient, adult: Any) -> None:
    bikes = client.upload_file(SAMPLES / "seoul_bikes.csv")
    model = client.train_model(bikes, trials=3, families=["linear"])
    model.wait()
    client.predict(model, client.get_processed_data(bikes).head(50))
    words = {b"marital-status", b"Rainfall(mm)"}
    for dataset, file in ((adult, "adult_income.csv"), (bikes, "seoul_bikes.csv"), (client.dataset("By REST"), "penguins.csv")):
        words |= _plaintext(client.get_processed_data(dataset))
        words |= set((SAMPLES / file).read_bytes().splitlines()[1:400:20])
    # A part of a file's own name, and names are not sealed.
    words -= {b"income"}
    assert {b"Prof-specialty", b"Bachelors", b"Torgersen", b"Temperature(\xc2\xb0C)"} <= words
    assert len(words) > 600
    searched = 0
    for path in running.home.rglob("*"):
        if not path.is_file() or path.is_socket():
            continue
        data = path.read_bytes()
        searched += len(data)
        assert not [word for word in words if _stands_in(word, data)], path
    assert searched > 100_000


def _stands_in(word: bytes, data: bytes) -> bool:
    """Whether bytes hold a word; six digits after a point or among other digits are the fraction of a time, not a value."""
    if word not in data:
        return False
    return not word.isdigit() or re.search(rb"(?<![\d.])" + word + rb"(?!\d)", data) is not None


def _plaintext(frame: pd.DataFrame) -> set[bytes]:
    """Names and cells as text of six characters and more (shorter ones turn up by chance), and runs of numbers as memory holds them."""
    words = {name.encode() for name in frame.columns}
    for name in frame.columns:
        column = frame[name].dropna()
        words |= {str(each).encode() for each in column.unique()[:150]}
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            runs = [column.iloc[start : start + 6].to_numpy(dtype) for start in range(0, 60, 20) for dtype in ("float64", "float32", "int64", "int32")]
            words |= {run.tobytes() for run in runs if len(set(run.tolist())) > 3}
    return {word for word in words if len(word) >= 6}


def test_the_download_is_what_went_in(client: DAPPClient, adult: Any, running: Running, people: dict[str, str]) -> None:
    with _login(running, people["analyst"]) as rest:
        assert rest.get(f"/datasets/{adult.id}/original").content == (SAMPLES / "adult_income.csv").read_bytes()
        csv = pd.read_csv(io.BytesIO(rest.get(f"/datasets/{adult.id}/data", params={"format": "csv"}).content))
        assert len(csv) == len(client.get_processed_data(adult))
