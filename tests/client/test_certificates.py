"""A server whose certificate nobody knows is named as such; with the certificate in the environment it is trusted, and through no proxy."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dapp_ext.client import DAPPClient
from dapp_ext.client.discovery import Server
from dapp_ext.client.transport import Transport
from dapp_ext.errors import Invalid
from dapp_ext.schema.system import HealthRead
from tests.client.scripted import scripted

OK = (200, {"status": "ok"})


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """One that signs itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a server of a test")])
    today = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), today, today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    found = tmp_path / "server.pem"
    found.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return found


def _get(url: str, certificate: str = "") -> HealthRead:
    transport = Transport(Server(url, dapp_token="t", certificate=certificate))
    try:
        return transport.get(HealthRead, "health/live")
    finally:
        transport.close()


def test_a_certificate_that_signs_itself(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with scripted(lambda _: OK, tls) as server:
        with pytest.raises(Invalid, match=r"certificate of https://.* is not trusted here: self.signed certificate\. Set SSL_CERT_FILE"):
            _get(server.url)
        assert _get(server.url, str(certificate)).status == "ok"
        client = DAPPClient(server.url, "t", verify=certificate)
        assert client.connection.feed._server.certificate == str(certificate), "the live feed goes by the same file"
        client.close()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        assert _get(server.url).status == "ok"


def test_a_server_without_encryption_is_asked_for_it() -> None:
    with scripted(lambda _: OK) as server, pytest.raises(Invalid, match="begins with http or https"):
        _get(server.url.replace("http:", "https:"))


def test_a_file_of_certificates_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/at/all.pem")
    with pytest.raises(Invalid, match=r"nowhere/at/all\.pem cannot be read: No such file"):
        _get("https://127.0.0.1:9/")


def test_checking_cannot_be_turned_off_and_a_file_has_to_be_there() -> None:
    with pytest.raises(Invalid, match="always checked"):
        DAPPClient("https://127.0.0.1:9/", "t", verify=False)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match=r"'/nowhere\.pem' cannot be read: No such file"):
        DAPPClient("https://127.0.0.1:9/", "t", verify="/nowhere.pem")
