"""Signing in to a real server: through Jupyter, and with email and password alone."""

from __future__ import annotations

import pytest

from dapp_ext.client import DAPPClient
from dapp_ext.errors import Denied, LoginRefused, NotSignedIn
from dapp_ext.schema.accounts import Role
from dapp_ext.schema.signins import TokenCreate, TokenMade

from .server import PASSWORD, JupyterServer, add_account


def test_a_kernel_finds_its_server_and_is_the_owner(jupyter: JupyterServer, monkeypatch: pytest.MonkeyPatch) -> None:
    jupyter.enter(monkeypatch)
    with DAPPClient() as client:
        assert client.url == jupyter.url
        assert client.whoami().role is Role.admin
        assert "signed in as Owner (admin)" in repr(client)
        assert client.status().version


def test_a_script_needs_only_email_and_password(jupyter: JupyterServer, client: DAPPClient) -> None:
    add_account(client, "ana@example.org", Role.analyst)
    with DAPPClient(jupyter.url).login("ana@example.org", PASSWORD) as script:
        assert script.whoami().email == "ana@example.org"
        assert script.datasets("no dataset has this name") == []
        with pytest.raises(Denied):
            script.connection.transport.post(object, "users", {"email": "x@example.org"})  # type: ignore[type-var]


def test_wrong_password(jupyter: JupyterServer) -> None:
    with DAPPClient(jupyter.url) as script:
        with pytest.raises(LoginRefused):
            script.login("owner@example.org", "not the right words")
        with pytest.raises(NotSignedIn, match="login"):
            script.whoami()


def test_viewers_look_and_do_not_upload(jupyter: JupyterServer, client: DAPPClient) -> None:
    add_account(client, "vic@example.org", Role.viewer)
    data = client.upload_file(b"a,b\n1,x\n2,y\n", name="for viewers")
    with DAPPClient(jupyter.url).login("vic@example.org", PASSWORD) as viewer:
        assert viewer.dataset("for viewers").head()["a"].tolist() == [1, 2]
        with pytest.raises(Denied):
            viewer.get_processed_data("for viewers")
        with pytest.raises(Denied):
            viewer.upload_file(b"a,b\n1,x\n")
        with pytest.raises(Denied):
            viewer.train_model(data, "b")


def test_session_that_ended_elsewhere_begins_anew_through_jupyter(client: DAPPClient) -> None:
    client.connection.transport.call("POST", "auth/logout")
    assert client.whoami().role is Role.admin


def test_session_of_a_password_ends_for_good(jupyter: JupyterServer, client: DAPPClient) -> None:
    add_account(client, "eve@example.org", Role.analyst)
    with DAPPClient(jupyter.url).login("eve@example.org", PASSWORD) as script:
        script.connection.transport.call("POST", "auth/logout")
        with pytest.raises(NotSignedIn, match="has ended"):
            script.datasets()


def test_closed_client_is_signed_out(jupyter: JupyterServer, client: DAPPClient, caplog: pytest.LogCaptureFixture) -> None:
    add_account(client, "max@example.org", Role.analyst)
    script = DAPPClient(jupyter.url).login("max@example.org", PASSWORD)
    script.on("*", print)
    headers = script.connection.transport.sign_in.headers()
    script.close()
    assert script.connection.feed.state == "closed"
    assert "has ended" not in caplog.text, "whoever closes it need not be told"
    script.close()
    assert client.connection.transport._http.get("auth/me", headers=headers).status_code == 401
    with pytest.raises(NotSignedIn):
        script.whoami()


def test_a_script_with_a_personal_token(jupyter: JupyterServer, client: DAPPClient, monkeypatch: pytest.MonkeyPatch) -> None:
    made = client.connection.transport.post(TokenMade, "auth/tokens", TokenCreate(name="nightly", scope="read"))
    jupyter.enter(monkeypatch)  # Jupyter's own token lies beside, and must not widen what the script can do
    with DAPPClient(jupyter.url, token=made.token) as script:
        assert script.whoami().role is Role.admin
        assert "personal access token" in repr(script)
        assert script.events() is not None
        with pytest.raises(Denied, match="scope read"):
            script.upload_file(b"a,b\n1,2\n", name="refused")
        client.connection.transport.call("DELETE", f"auth/tokens/{made.id}")
        with pytest.raises(NotSignedIn, match="personal access token"):
            script.whoami()
