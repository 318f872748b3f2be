"""Files in and out over the dashboard's own routes."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dapp_ext.schema.accounts import Role
from dapp_ext.services import Services
from dapp_ext.settings import Settings
from tests.panel.visiting import Visit

TABLE = b"name,amount\n" + b"".join(b"row%d,%d\n" % (number, number) for number in range(50))


def _send(visit: Visit, query: str, content: bytes | Iterator[bytes]) -> tuple[int, dict[str, object]]:
    answer = visit.http.post(f"/upload?{query}", content=content, headers=visit.headers())
    return answer.status_code, answer.json()


def test_a_file_becomes_a_dataset(visit: Callable[..., Visit], services: Services, run_jobs: Callable[[], None]) -> None:
    maya = visit("maya")
    status, dataset = _send(maya, "filename=sales%202026.csv&name=Sales", TABLE)
    assert status == 202
    assert (dataset["name"], dataset["status"], dataset["size"], dataset["visibility"]) == ("Sales", "processing", len(TABLE), "team")
    run_jobs()
    ready = services.datasets.get(maya.actor, str(dataset["id"]))
    assert (ready.status, ready.rows) == ("ready", 50)
    assert maya.http.get(f"/download/{ready.id}?format=original").content == TABLE
    out = maya.http.get(f"/download/{ready.id}?format=csv")
    assert out.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert out.text.splitlines()[:2] == ["name,amount", "row0,0"]
    filtered = maya.http.get(f"/download/{ready.id}", params={"columns": "amount", "filters": '[{"column": "amount", "op": "ge", "value": 48}]'})
    assert filtered.text.split() == ["amount", "48", "49"]


def test_bytes_of_unknown_length_are_taken(visit: Callable[..., Visit]) -> None:
    status, dataset = _send(visit("maya"), "filename=a.csv", iter([TABLE[:100], TABLE[100:]]))
    assert (status, dataset["size"]) == (202, len(TABLE))


def test_a_viewer_is_refused_in_words(visit: Callable[..., Visit], services: Services) -> None:
    tom = visit("tom", Role.viewer)
    status, answer = _send(tom, "filename=a.csv", TABLE)
    assert status == 403
    assert "viewer" in str(answer["error"])
    assert services.datasets.list(tom.actor).items == []


@pytest.mark.parametrize(("query", "content", "status"), [("", TABLE, 422), ("filename=a.csv", b"", 422), ("filename=a.csv&format=exe", TABLE, 422)])
def test_what_is_no_upload_is_refused(query: str, content: bytes, status: int, visit: Callable[..., Visit], services: Services) -> None:
    maya = visit("maya")
    assert _send(maya, query, content)[0] == status
    assert services.datasets.list(maya.actor).items == []


class TestLimit:
    """With a small limit."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, upload_limit=100_000)

    def test_a_large_file_is_refused_whether_or_not_it_says_so(self, visit: Callable[..., Visit], services: Services) -> None:
        maya = visit("maya")
        large = b"a,b\n" + b"1,2\n" * 60_000
        status, answer = _send(maya, "filename=a.csv", large)
        assert status == 413
        assert "larger than" in str(answer["error"])
        status, _ = _send(maya, "filename=a.csv", iter([large[:90_000], large[90_000:]]))
        assert status == 413
        assert services.datasets.list(maya.actor).items == []


def test_of_a_broken_upload_nothing_is_kept(visit: Callable[..., Visit], services: Services, settings: Settings) -> None:
    maya = visit("maya")
    host, _, port = maya.address.removeprefix("http://").partition(":")
    head = (
        f"POST /upload?filename=a.csv HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {maya.address}\r\n"
        f"Cookie: {maya.name}={maya.cookie}\r\nContent-Length: 9000000\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as raw:
        raw.sendall(head.encode() + b"a,b\n" + b"1,2\n" * 400_000)
        time.sleep(0.3)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and _files(settings.objects_folder):
        time.sleep(0.05)
    assert _files(settings.objects_folder) == []
    assert services.datasets.list(maya.actor).items == []


def _files(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


def test_a_download_of_what_one_may_not_see_is_not_found(visit: Callable[..., Visit], services: Services, run_jobs: Callable[[], None]) -> None:
    maya, tom = visit("maya"), visit("tom")
    _, dataset = _send(maya, "filename=a.csv&visibility=private", TABLE)
    run_jobs()
    assert maya.http.get(f"/download/{dataset['id']}").status_code == 200
    assert tom.http.get(f"/download/{dataset['id']}").status_code == 404
    assert maya.http.get(f"/download/{dataset['id']}", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert maya.http.get(f"/download/{dataset['id']}?format=exe").status_code == 422
