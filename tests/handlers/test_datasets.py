"""Files come in by pieces; what is refused or cut leaves nothing."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.simple_httpclient import HTTPStreamClosedError

from dapp_ext.handlers.base import DRAIN_LIMIT
from dapp_ext.schema.accounts import Role
from dapp_ext.schema.datasets import ReadOptions
from dapp_ext.store.objects import SealedFile
from tests.handlers.serving import API, CSV, Answer, Caller

LIMIT = 3_000_000


def kept(services: Any) -> list[Path]:
    """Every file that holds data."""
    return [each for each in services.settings.objects_folder.rglob("*") if each.is_file()]


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.02)


async def _raw(port: int, owner: Caller, headers: str, body: bytes, *, cut: bool = False) -> bytes:
    """Send a request by hand; the answer, or nothing when the line is cut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /a%40b/{API}/datasets?filename=a.csv HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {owner.token}\r\n{headers}\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    if cut:
        await asyncio.sleep(0.2)
        writer.transport.abort()
        return b""
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_file_is_taken_and_known(owner: Caller, services: Any) -> None:
    answer = await owner("POST", "/datasets", CSV, filename="cities of ä.csv", name="Cities", visibility="private")
    assert answer.status == 202
    made = answer.json
    assert {name: made[name] for name in ("name", "status", "filename", "size", "visibility", "version")} == {
        "name": "Cities",
        "status": "processing",
        "filename": "cities of ä.csv",
        "size": len(CSV),
        "visibility": "private",
        "version": 1,
    }
    assert made["schema"] == []
    assert (await owner("GET", "/datasets")).json["items"] == [made]
    assert (await owner("GET", "/datasets/Cities")).json == made
    assert (await owner("GET", f"/jobs/{made['job_id']}")).json["kind"] == "ingest"
    assert len(kept(services)) == 1
    assert b"Berlin" not in kept(services)[0].read_bytes()


async def test_the_original_comes_back_as_it_was(owner: Caller) -> None:
    data = bytes(range(256)) * 8000
    made = (await owner("POST", "/datasets", data, filename="tägliche (1).csv")).json
    answer = await owner("GET", f"/datasets/{made['id']}/original")
    assert answer.status == 200
    assert answer.body == data
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''t%C3%A4gliche%20%281%29.csv"
    assert answer.headers["Content-Length"] == str(len(data))


async def test_names_with_signs_are_found(owner: Caller) -> None:
    await owner("POST", "/datasets", CSV, filename="a.csv", name="50 % of a/b? #1")
    assert (await owner("GET", "/datasets/50%20%25%20of%20a%2Fb%3F%20%231")).json["name"] == "50 % of a/b? #1"


async def test_how_to_read_it_is_passed_on(owner: Caller, services: Any) -> None:
    answer = await owner("POST", "/datasets", CSV, filename="a.csv", delimiter="\t", decimal=",", header="false", missing="-")
    assert answer.status == 202
    job = services.jobs.claim(services.jobs.enlist())
    options = services.settling.order(job).options
    assert options.model_dump(exclude_none=True) == {"delimiter": "\t", "decimal": ",", "header": False, "missing": ["-"]}


EVERY_OPTION: dict[str, Any] = {
    "format": "csv",
    "delimiter": ";",
    "quote": "'",
    "escape": "backslash",
    "encoding": "utf-16",
    "decimal": ",",
    "thousands": ".",
    "date_order": "month_first",
    "sheet": "Sheet 2",
    "join_sheets": False,
    "table": 2,
    "merged_cells": "first",
    "layout": "delimited",
    "header": True,
    "header_row": 3,
    "header_rows": 1,
    "comment": "%",
    "extra_cells": "drop",
    "extra_rows": "keep",
    "missing": ["-", "?"],
    "types": {"a": "text", "b c": "decimal"},
}


async def test_every_option_goes_through_the_door(owner: Caller, services: Any) -> None:
    assert set(EVERY_OPTION) == set(ReadOptions.model_fields)
    told = EVERY_OPTION | {"join_sheets": "false", "header": "true", "types": json.dumps(EVERY_OPTION["types"])}
    answer = await owner("POST", "/datasets", CSV, filename="a.csv", **told)
    assert answer.status == 202
    job = services.jobs.claim(services.jobs.enlist())
    assert services.settling.order(job).options.model_dump() == EVERY_OPTION


async def test_pieces_of_many_files_are_sealed_one_at_a_time(owner: Caller, services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = most = 0
    write = SealedFile.write

    def counted(file: SealedFile, data: bytes) -> int:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        time.sleep(0.005)
        try:
            return write(file, data)
        finally:
            busy -= 1

    monkeypatch.setattr(SealedFile, "write", counted)
    body = CSV * (1_500_000 // len(CSV))
    answers = await asyncio.gather(*(owner("POST", "/datasets", body, filename=f"{number}.csv") for number in range(6)))
    assert [answer.status for answer in answers] == [202] * 6
    assert most == 1


async def test_a_viewer_may_not_upload(signed_in: Callable[[Role], Caller], services: Any) -> None:
    viewer = signed_in(Role.viewer)
    answer = await viewer("POST", "/datasets", CSV, filename="a.csv")
    assert (answer.status, answer.code) == (403, "denied")
    assert kept(services) == []


async def test_nobody_may_upload(nobody: Caller, services: Any) -> None:
    answer = await nobody("POST", "/datasets", b"x" * 2_000_000, filename="a.csv")
    assert (answer.status, answer.code) == (401, "not_signed_in")
    assert kept(services) == []


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({}, 422),
        ({"filename": ""}, 422),
        ({"filename": "a.csv", "owner": "me"}, 422),
        ({"filename": "a.csv", "delimiter": ";;"}, 422),
        ({"filename": "a.csv", "format": "pickle"}, 422),
    ],
)
async def test_what_is_said_about_a_file_is_checked(owner: Caller, services: Any, params: dict[str, str], status: int) -> None:
    answer = await owner("POST", "/datasets", CSV, **params)
    assert (answer.status, answer.code) == (status, "invalid")
    assert kept(services) == []


async def test_a_form_is_not_a_file(owner: Caller, services: Any) -> None:
    answer = await owner("POST", "/datasets", CSV, headers={"Content-Type": "multipart/form-data; boundary=x"}, filename="a.csv")
    assert (answer.status, answer.code) == (415, "media_unsupported")
    assert kept(services) == []


async def test_an_empty_file_is_refused(owner: Caller, services: Any) -> None:
    answer = await owner("POST", "/datasets", b"", filename="a.csv")
    assert (answer.status, answer.code) == (422, "file_unreadable")
    assert kept(services) == []


async def test_a_name_is_taken_once(owner: Caller, services: Any) -> None:
    await owner("POST", "/datasets", CSV, filename="a.csv", name="Cities")
    answer = await owner("POST", "/datasets", CSV, filename="a.csv", name="Cities")
    assert (answer.status, answer.code) == (409, "name_taken")
    assert len(kept(services)) == 1


async def test_a_file_that_is_too_large_is_refused_before_it_comes(owner: Caller, services: Any, jp_http_port: int) -> None:
    answer = await owner("POST", "/datasets", b"x" * (LIMIT + 1), filename="a.csv")
    assert (answer.status, answer.code) == (413, "too_large")
    # Whoever waits to be asked for the body is told at once, and so is whoever announces more than is drained.
    for headers in (f"Content-Length: {LIMIT + 1}\r\nExpect: 100-continue\r\n", f"Content-Length: {DRAIN_LIMIT + 1}\r\n"):
        raw = await _raw(jp_http_port, owner, headers, b"")
        assert raw.startswith(b"HTTP/1.1 413 ")
        assert b'"code":"too_large"' in raw
    assert kept(services) == []


async def test_a_file_of_unknown_length_is_counted_while_it_comes(owner: Caller, services: Any, jp_http_port: int) -> None:
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    raw = await _raw(jp_http_port, owner, "Transfer-Encoding: chunked\r\nConnection: close\r\n", chunk * 4 + b"0\r\n\r\n")
    assert raw.startswith(b"HTTP/1.1 413 ")
    assert kept(services) == []


async def test_a_file_of_unknown_length_is_taken(owner: Caller, services: Any, jp_http_port: int) -> None:
    chunk = b"40000\r\n" + b"a,b\n" * 0x10000 + b"\r\n"
    raw = await _raw(jp_http_port, owner, "Transfer-Encoding: chunked\r\nConnection: close\r\n", chunk * 3 + b"0\r\n\r\n")
    assert raw.startswith(b"HTTP/1.1 202 ")
    assert (await owner("GET", "/datasets")).json["items"][0]["size"] == 3 * 0x40000


async def test_an_upload_that_is_cut_leaves_nothing(owner: Caller, services: Any, jp_http_port: int) -> None:
    seen: list[Path] = []

    async def watch() -> None:
        while not seen:
            seen.extend(kept(services))
            await asyncio.sleep(0.01)

    watching = asyncio.create_task(watch())
    await _raw(jp_http_port, owner, "Content-Length: 2500000\r\n", b"x" * 1_500_000, cut=True)
    await asyncio.wait_for(watching, 10)
    assert seen, "the upload had not begun"
    await _until(lambda: kept(services) == [])
    assert (await owner("GET", "/datasets")).json["items"] == []


async def test_a_disk_that_is_full_is_told(owner: Caller, services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from dapp_ext.errors import StorageFull
    from dapp_ext.store.objects import StagedObject

    def full(*_: object) -> None:
        raise StorageFull

    monkeypatch.setattr(StagedObject, "write", full)
    answer = await owner("POST", "/datasets", b"x" * 1_500_000, filename="a.csv")
    assert (answer.status, answer.code) == (507, "storage_full")
    assert kept(services) == []


async def test_renamed_shared_and_deleted(owner: Caller, services: Any) -> None:
    made = (await owner("POST", "/datasets", CSV, filename="a.csv")).json
    changed = await owner("PATCH", f"/datasets/{made['id']}", {"name": "Towns", "visibility": "private"})
    assert (changed.json["name"], changed.json["visibility"]) == ("Towns", "private")
    assert (await owner("PATCH", "/datasets/Towns", {"id": "other"})).code == "invalid"
    assert (await owner("DELETE", "/datasets/Towns")).status == 204
    assert (await owner("GET", "/datasets/Towns")).code == "dataset_not_found"
    assert kept(services) == []


async def test_what_is_not_ready_says_so(owner: Caller) -> None:
    made = (await owner("POST", "/datasets", CSV, filename="a.csv")).json
    for method, path in (("GET", "profile"), ("GET", "rows"), ("POST", "query"), ("GET", "data")):
        answer = await owner(method, f"/datasets/{made['id']}/{path}")
        assert (answer.status, answer.code) == (409, "not_ready"), path


async def test_filters_in_the_address_are_checked(owner: Caller) -> None:
    for filters, code in (("{", "malformed"), ('[{"column": 1, "op": "eq"}]', "invalid"), ('[{"column": "a", "op": "drop"}]', "invalid")):
        assert (await owner("GET", "/datasets/none/data", filters=filters)).code == code


async def test_a_download_that_breaks_is_cut_not_ended(owner: Caller, services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from dapp_ext.errors import IntegrityFailed
    from dapp_ext.services.files import Download

    def broken(*_: object) -> Download:
        def chunks() -> Any:
            yield from [b"x" * 100_000] * 20
            raise IntegrityFailed

        return Download("a.bin", "application/octet-stream", chunks())

    monkeypatch.setattr(type(services.datasets), "original", broken)
    with pytest.raises(HTTPStreamClosedError):  # the client knows that the file is not whole
        await owner("GET", "/datasets/a/original")


async def test_a_download_comes_whole_however_its_pieces_lie(owner: Caller, services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from dapp_ext.services.files import Download

    data = bytes(range(256)) * 12_000
    pieces = [data[:5], memoryview(data)[5:1_000_000], memoryview(data)[1_000_000:1_000_001], data[1_000_001:2_000_000], memoryview(data)[2_000_000:]]

    def lent(services: object, actor: object, ref: str, version: int | None) -> Download:
        return Download("a.bin", "application/octet-stream", iter(pieces), len(data) if ref == "sized" else None, rows=7)

    monkeypatch.setattr(type(services.datasets), "original", lent)
    for name in ("a", "sized"):
        found = await owner("GET", f"/datasets/{name}/original")
        assert (found.body, found.headers["X-DAPP-Rows"]) == (data, "7")
        assert (await owner("HEAD", f"/datasets/{name}/original")).body == b""


async def test_a_download_that_cannot_begin_has_the_envelope(owner: Caller, services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from dapp_ext.errors import IntegrityFailed
    from dapp_ext.services.files import Download

    def broken(*_: object) -> Download:
        def chunks() -> Any:
            raise IntegrityFailed
            yield b""

        return Download("a.bin", "application/octet-stream", chunks())

    monkeypatch.setattr(type(services.datasets), "original", broken)
    answer: Answer = await owner("GET", "/datasets/a/original")
    assert (answer.status, answer.code) == (500, "integrity_failed")
