"""Requests: credentials on, errors back as the server's classes, only GET again."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dapp_ext.client import DAPPClient
from dapp_ext.client.discovery import Server
from dapp_ext.client.frames import save
from dapp_ext.client.transport import Transport, path_of
from dapp_ext.errors import (
    DappError,
    DatasetNotFound,
    Denied,
    FileUnreadable,
    Internal,
    Invalid,
    LoginRefused,
    NameTaken,
    NotSignedIn,
    RouteNotFound,
    StorageFull,
    TooLarge,
    Unavailable,
)
from dapp_ext.schema.system import HealthRead

from .scripted import Answer, Seen, envelope, scripted, tokens

OK: Answer = (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("answer", "cls"),
    [
        (envelope(404, "dataset_not_found"), DatasetNotFound),
        (envelope(409, "name_taken"), NameTaken),
        (envelope(403, "denied"), Denied),
        (envelope(507, "storage_full"), StorageFull),
        (envelope(500, "internal"), Internal),
        (envelope(418, "a_code_of_tomorrow"), DappError),
        ((404, b"<html>not here</html>"), RouteNotFound),
        ((302, b""), RouteNotFound),
        ((403, b"forbidden"), NotSignedIn),
        ((413, b""), TooLarge),
        ((502, b"bad gateway"), Unavailable),
        ((500, b"oops"), Internal),
        ((200, b"<html>a login page</html>"), Internal),
    ],
)
def test_failures_come_back_as_their_class(answer: Answer, cls: type[DappError]) -> None:
    with scripted(lambda seen: answer) as server:
        transport = Transport(Server(server.url, dapp_token="t"))
        with pytest.raises(DappError) as caught:
            transport.post(HealthRead, "x", {})
        transport.close()
    assert type(caught.value) is cls
    assert len(server.seen) == 1
    assert caught.value.message


def test_message_details_and_request_id_arrive() -> None:
    with scripted(lambda seen: envelope(500, "internal", "Broken inside.", limit=3, message="odd")) as server:
        transport = Transport(Server(server.url, dapp_token="t"))
        with pytest.raises(Internal) as caught:
            transport.call("DELETE", "x")
        transport.close()
    assert caught.value.details == {"limit": 3, "request_id": "req-1"}
    assert str(caught.value) == "Broken inside. (request req-1)"


def test_reading_is_tried_again_and_nothing_else() -> None:
    def answer(seen: Seen) -> Answer:
        return envelope(503, "busy") if len(server.seen) < 3 else OK

    with scripted(answer) as server:
        transport = Transport(Server(server.url, dapp_token="t"))
        assert transport.get(HealthRead, "health").status == "ok"
        assert len(server.seen) == 3
        server.seen.clear()
        with pytest.raises(Unavailable):
            transport.post(HealthRead, "health", {})
        assert len(server.seen) == 1
        transport.close()


def test_nobody_answers() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    transport = Transport(Server(f"http://127.0.0.1:{port}/", dapp_token="t"))
    with pytest.raises(Unavailable, match="jupyter dapp start"):
        transport.post(HealthRead, "x", {})
    transport.close()


def test_jupyter_token_is_exchanged_and_both_are_sent() -> None:
    with scripted(lambda seen: tokens(1) if "auth/jupyter" in seen.path else OK) as server:
        transport = Transport(Server(server.url, jupyter_token="jt"))
        transport.get(HealthRead, "one")
        transport.get(HealthRead, "two")
        transport.close()
    (exchange,) = server.asked("auth/jupyter")
    assert exchange.headers["authorization"] == "token jt"
    for seen in (*server.asked("one"), *server.asked("two")):
        assert seen.headers["authorization"] == "token jt"
        assert seen.headers["x-dapp-authorization"] == "Bearer access-1"
        assert "cookie" not in seen.headers


def test_login_sends_only_the_dapp_token() -> None:
    with scripted(lambda seen: tokens(1) if "auth/" in seen.path else OK) as server:
        client = DAPPClient(f"{server.url}?token=jt").login("o@example.org", "secret words")
        assert "Olga" in repr(client)
        client._connection.transport.get(HealthRead, "one")
        client.close()
    (seen,) = server.asked("one")
    assert seen.headers["authorization"] == "Bearer access-1"
    assert "x-dapp-authorization" not in seen.headers
    assert len(server.asked("auth/logout")) == 1


def test_wrong_password_is_told_as_that() -> None:
    with scripted(lambda seen: envelope(401, "login_refused")) as server, pytest.raises(LoginRefused):
        DAPPClient(server.url).login("o@example.org", "wrong")


def test_not_signed_in_says_how() -> None:
    with scripted(lambda seen: OK) as server:
        client = DAPPClient(server.url)
        with pytest.raises(NotSignedIn, match="login"):
            client.whoami()
        client.close()
    assert server.seen == []


def test_refused_token_is_renewed_once() -> None:
    def answer(seen: Seen) -> Answer:
        if "auth/login" in seen.path:
            return tokens(1)
        if "auth/refresh" in seen.path:
            return tokens(2)
        return OK if seen.headers["authorization"] == "Bearer access-2" else envelope(401, "not_signed_in")

    with scripted(answer) as server:
        client = DAPPClient(server.url).login("o@example.org", "secret words")
        transport = client._connection.transport
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: transport.post(HealthRead, "x", {}).status, range(8)))
        client.close()
    assert found == ["ok"] * 8
    assert len(server.asked("auth/refresh")) == 1
    assert b"refresh-1" in server.asked("auth/refresh")[0].body


def test_ended_session_is_told_and_not_tried_for_ever() -> None:
    def answer(seen: Seen) -> Answer:
        return tokens(1) if "auth/login" in seen.path else envelope(401, "not_signed_in")

    with scripted(answer) as server:
        client = DAPPClient(server.url).login("o@example.org", "secret words")
        with pytest.raises(NotSignedIn, match="has ended"):
            client.whoami()
        client.close()
    assert len(server.asked("auth/me")) == 1


def test_ended_session_begins_anew_through_jupyter() -> None:
    count = iter(range(1, 100))

    def answer(seen: Seen) -> Answer:
        if "auth/jupyter" in seen.path:
            return tokens(next(count))
        if "auth/refresh" in seen.path or seen.headers.get("x-dapp-authorization") == "Bearer access-1":
            return envelope(401, "not_signed_in")
        return OK

    with scripted(answer) as server:
        transport = Transport(Server(server.url, jupyter_token="jt"))
        assert transport.get(HealthRead, "x").status == "ok"
        transport.close()
    assert len(server.asked("auth/jupyter")) == 2


def test_token_is_renewed_before_it_ends() -> None:
    with scripted(lambda seen: tokens(1, expires_in=0) if "login" in seen.path else tokens(2) if "refresh" in seen.path else OK) as server:
        client = DAPPClient(server.url).login("o@example.org", "secret words")
        client._connection.transport.get(HealthRead, "x")
        client.close()
    assert server.asked("x")[0].headers["authorization"] == "Bearer access-2"


def test_token_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(lambda seen: envelope(401, "not_signed_in")) as server:
        monkeypatch.setenv("DAPP_URL", server.url)
        monkeypatch.setenv("DAPP_TOKEN", "from-ci")
        client = DAPPClient()
        with pytest.raises(NotSignedIn, match="DAPP_TOKEN"):
            client.whoami()
        client.close()
    assert server.seen[0].headers["authorization"] == "Bearer from-ci"


@pytest.mark.parametrize("pieces", [[b"abc", b"d"], [b"a"]])
def test_a_file_that_changes_while_it_is_sent_is_said(pieces: list[bytes]) -> None:
    with scripted(lambda seen: OK) as server:
        transport = Transport(Server(server.url, dapp_token="t"))
        with pytest.raises(FileUnreadable, match="changed while it was being sent"):
            transport.upload(HealthRead, "datasets", pieces, size=3, query={})
        transport.close()


def test_upload_streams_with_its_length() -> None:
    with scripted(lambda seen: OK) as server:
        transport = Transport(Server(server.url, dapp_token="t"))
        transport.upload(HealthRead, "datasets", [b"ab", b"c"], size=3, query={"filename": "ä&b.csv", "name": None})
        transport.upload(HealthRead, "datasets", [b"ab", b"c"], size=None, query={})
        transport.close()
    known, unknown = server.seen
    assert (known.body, known.headers["content-length"]) == (b"abc", "3")
    assert known.path.endswith("?filename=%C3%A4%26b.csv")
    assert (unknown.body, unknown.headers["transfer-encoding"]) == (b"abc", "chunked")


def test_download_reads_from_the_socket() -> None:
    with scripted(lambda seen: (200, b"x" * 100_000) if "good" in seen.path else envelope(404, "dataset_not_found")) as server:
        transport = Transport(Server(server.url, dapp_token="t"))
        with transport.download("good") as stream:
            assert stream.read(3) == b"xxx"
            assert len(stream.read()) == 99_997
        with pytest.raises(DatasetNotFound), transport.download("bad"):
            pass
        transport.close()


def test_a_download_is_tried_again_with_a_new_token() -> None:
    def answer(seen: Seen) -> Answer:
        if "auth/refresh" in seen.path:
            return tokens(2)
        if "auth/" in seen.path:
            return tokens(1)
        return (200, b"rows") if seen.headers.get("authorization") == "Bearer access-2" else envelope(401, "not_signed_in")

    with scripted(answer) as server:
        transport = Transport(Server(server.url))
        transport.sign_in.login("o@example.org", "a good password")
        with transport.download("data", columns=["a", "b"]) as stream:
            assert stream.read() == b"rows"
        transport.close()
    assert [each.path.rpartition("?")[2] for each in server.asked("data")] == ["columns=a&columns=b"] * 2


@pytest.mark.parametrize("head", [b"Content-Length: 100000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n186A0\r\n"])
def test_a_download_that_is_cut_says_so(head: bytes, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as pool:

        def serve() -> None:
            line, _ = listening.accept()
            with line:
                line.recv(65536)
                line.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"x" * 50_000)

        transport = Transport(Server(f"http://127.0.0.1:{listening.getsockname()[1]}/", dapp_token="t"))
        done = pool.submit(serve)
        with pytest.raises(Unavailable, match="lost"), transport.download("data") as stream:
            save(stream, tmp_path / "whole.csv")
        done.result(10)
        transport.close()
    assert list(tmp_path.iterdir()) == []


def test_a_download_from_nobody_says_how_to_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    transport = Transport(Server(f"http://127.0.0.1:{port}/", dapp_token="t"))
    with pytest.raises(Unavailable, match="jupyter dapp start"), transport.download("data"):
        pass
    transport.close()


def test_names_become_safe_paths() -> None:
    assert path_of("a/b?c#d", "ä") == "a%2Fb%3Fc%23d/%C3%A4"
    for bad in ("", ".", ".."):
        with pytest.raises(Invalid):
            path_of(bad)
