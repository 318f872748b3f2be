"""The extension inside its server: what starts with it, what ends with it, and a home that cannot be opened."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from traitlets.config import Config

from dapp_ext.app import DappExtension
from dapp_ext.handlers import backend as backend_module
from dapp_ext.handlers.backend import Backend
from dapp_ext.settings import describe_settings
from tests.handlers.serving import CSV, Caller


async def _until(true: Any, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.05)


def test_every_setting_can_be_given_by_jupyters_configuration() -> None:
    names = {each["name"] for each in describe_settings()} - {"log_level"}
    traits = DappExtension.class_traits(config=True)
    assert names <= set(traits)
    assert all(traits[name].help for name in names)
    extension = DappExtension(config=Config({"DappExtension": {"upload_limit": 5, "start_worker": False, "home": "/somewhere"}}))
    assert (extension.upload_limit, extension.start_worker, extension.home, extension.workers) == (5, False, "/somewhere", None)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server finds when it starts; it reads its settings once, before any kernel can."""
    monkeypatch.setenv("DAPP_UPLOAD_LIMIT", "7")
    monkeypatch.setenv("DAPP_WORKERS", "3")


async def test_jupyters_configuration_wins_over_the_environment(environment: None, backend: Backend, tmp_path: Path) -> None:
    settings = backend.settings()
    assert (settings.upload_limit, settings.workers, settings.home) == (3_000_000, 3, tmp_path / "workspace")


async def test_the_server_runs_before_the_home_is_open(jp_serverapp: Any, backend: Backend, tmp_path: Path) -> None:
    assert not backend.is_open
    assert not (tmp_path / "workspace").exists()
    await jp_serverapp.extension_manager.start_all_extensions()
    await _until(lambda: backend.is_open)
    assert (tmp_path / "workspace").is_dir()


async def test_it_tells_where_it_answers_as_long_as_it_does(jp_serverapp: Any, owner: Caller, services: Any) -> None:
    status = (await owner("GET", "/system")).json
    assert status["api"] == jp_serverapp.connection_url.rstrip("/")
    assert status["jupyterlab"] is None
    await jp_serverapp.cleanup_extensions()
    assert services.system.addresses() == {}


async def test_after_its_end_it_is_unavailable(jp_serverapp: Any, owner: Caller) -> None:
    await jp_serverapp.cleanup_extensions()
    answer = await owner("GET", "/datasets")
    assert (answer.status, answer.code) == (503, "unavailable")


class TestAHomeThatCannotBeOpened:
    """JupyterLab goes on; DAPP says why it does not."""

    @pytest.fixture
    def jp_server_config(self, jp_server_config: Config, tmp_path: Path) -> Config:
        (tmp_path / "file").write_text("in the way")
        jp_server_config.DappExtension.home = str(tmp_path / "file" / "home")
        return jp_server_config

    async def test_is_told_by_503_and_one_clear_line(self, jp_serverapp: Any, nobody: Caller, jp_fetch: Any, caplog: pytest.LogCaptureFixture) -> None:
        await jp_serverapp.extension_manager.start_all_extensions()
        for method, path in (("POST", "/auth/login"), ("GET", "/health/ready"), ("POST", "/datasets")):
            answer = await nobody(method, path, None if method == "GET" else {}, headers={"Authorization": "Bearer x"})
            assert (answer.status, answer.code) == (503, "unavailable"), path
            assert answer.headers["Retry-After"]
            assert "file" not in answer.json["error"]["message"].replace("profile", "")
        errors = [each for each in caplog.records if each.levelname == "ERROR" and "DAPP is not available" in each.message]
        assert len(errors) == 1
        assert "Not a directory" in errors[0].message
        assert "file/home" in errors[0].message
        assert (await nobody("GET", "/health/live")).status == 200
        assert (await jp_fetch("api/status")).code == 200

    async def test_is_opened_once_it_can_be(self, nobody: Caller, backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert (await nobody("GET", "/health/ready")).status == 503
        (tmp_path / "file").unlink()
        assert (await nobody("GET", "/health/ready")).status == 503  # not asked again within seconds
        monkeypatch.setattr(backend_module, "OPEN_AGAIN_SECONDS", 0.0)
        assert (await nobody("GET", "/health/ready")).status == 200


class TestASettingThatIsWrong:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: Config) -> Config:
        jp_server_config.DappExtension.secret_key = "short"
        return jp_server_config

    async def test_is_explained(self, nobody: Caller) -> None:
        answer = await nobody("GET", "/health/ready")
        assert answer.status == 503
        assert "DAPP_SECRET_KEY" in answer.json["error"]["message"]


class TestWithAWorker:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: Config) -> Config:
        jp_server_config.DappExtension.start_worker = True
        return jp_server_config

    async def test_a_worker_starts_and_ends_with_the_server(self, jp_serverapp: Any, owner: Caller) -> None:
        workers: list[dict[str, Any]] = []
        ends = time.monotonic() + 60
        while not workers and time.monotonic() < ends:
            await asyncio.sleep(0.2)
            workers = (await owner("GET", "/system")).json["workers"]
        assert len(workers) == 1
        process = psutil.Process(workers[0]["pid"])
        assert "dapp_ext.worker" in process.cmdline()
        await jp_serverapp.cleanup_extensions()
        assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


async def test_waiting_jobs_count_as_activity(jp_serverapp: Any, owner: Caller) -> None:
    """Else a server that nobody touches would be culled while it trains."""
    manager = jp_serverapp.extension_manager
    assert not manager.any_activity()
    await owner("POST", "/datasets", CSV, filename="a.csv")
    await _until(manager.any_activity, 10)


async def test_too_many_calls_are_sent_away(owner: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend_module, "MOST_WAITING", 0)
    answer = await owner("GET", "/datasets")
    assert (answer.status, answer.code) == (503, "busy")


def test_loading_the_extension_loads_nothing_heavy() -> None:
    """JupyterLab's start waits for this import; the services are loaded behind it, on a thread."""
    heavy = {"sqlalchemy", "sqlmodel", "alembic", "pandas", "pyarrow", "duckdb", "sklearn", "lightgbm", "panel", "bokeh", "cryptography", "polars"}
    code = f"import dapp_ext.app, sys; print(sorted({heavy!r} & {{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
