"""The running product under load, a hand that kills its processes, and a book of everything that was answered "done"."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil

from dapp_ext.errors import DappError
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.datasets import DatasetUpload
from dapp_ext.schema.jobs import FINAL_JOB_STATUSES
from dapp_ext.services import Services
from dapp_ext.store.tables import Job, Worker

API = "/dapp/api/v1"
CALL_SECONDS = 20.0


@dataclass
class Book:
    """What the product has acknowledged. A call that was cut leaves its thing in doubt: both states are right then."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    uploads: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)
    models: dict[str, str] = field(default_factory=dict)
    roles: dict[str, set[str]] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    cut: int = 0
    refused: list[str] = field(default_factory=list)

    def count(self, what: str) -> None:
        with self.lock:
            self.done[what] = self.done.get(what, 0) + 1


class Visitor(threading.Thread):
    """Does one thing after another through a door until it is told to stop. Being cut off is expected; a wrong answer is not."""

    def __init__(self, book: Book, seed: int, acts: list[Callable[[random.Random], None]]) -> None:
        super().__init__(daemon=True)
        self._book, self._chance, self._acts = book, random.Random(seed), acts
        self.ending = threading.Event()
        self.pausing = threading.Event()

    def run(self) -> None:
        while not self.ending.is_set():
            if self.pausing.is_set():
                time.sleep(0.05)
                continue
            act = self._chance.choice(self._acts)
            try:
                act(self._chance)
            except httpx.LocalProtocolError as error:
                self._book.refused.append(f"{act.__name__}: {error}")
            except (httpx.TransportError, Cut):
                with self._book.lock:
                    self._book.cut += 1
                time.sleep(0.1)
            except Exception as error:
                self._book.refused.append(f"{act.__name__}: {type(error).__name__}: {error}")
            time.sleep(0.05)


class Cut(Exception):
    """The server was not able to answer just now, and said so."""


class Http:
    """The REST API of the JupyterLab server, as a script would use it."""

    def __init__(self, book: Book, address: str, services: Services) -> None:
        self._book, self._services = book, services
        self._client = httpx.Client(timeout=CALL_SECONDS, trust_env=False)
        self.address = address
        self._token = ""

    def close(self) -> None:
        self._client.close()

    def call(self, verb: str, path: str, **given: Any) -> Any:
        """A call with a fresh token where needed; raises Cut for what a server may say while it comes up or goes down."""
        for _ in range(4):  # a key may be rotated just when a token was made
            self._token = self._token or self._services.accounts.sign_in_owner(door="api", address="").access_token
            headers = {"Authorization": f"Bearer {self._token}"}
            answer = self._client.request(
                verb, self.address + API + path, headers=headers | given.get("headers", {}), **{k: v for k, v in given.items() if k != "headers"}
            )
            if answer.status_code != 401:
                break
            self._token = ""
        if answer.status_code in (404, 409):
            return answer.status_code
        if answer.status_code == 503:
            raise Cut
        if answer.status_code >= 400:
            raise AssertionError(f"{verb} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.content else None

    def upload(self, chance: random.Random) -> None:
        data = table(chance)
        headers = {"Content-Type": "application/octet-stream"}
        made = self.call("POST", "/datasets", params={"filename": f"t{chance.randrange(10**12)}.csv"}, content=data, headers=headers)
        with self._book.lock:
            self._book.uploads[made["id"]] = hashlib.sha256(data).hexdigest()
        self._book.count("upload")

    def delete(self, chance: random.Random) -> None:
        with self._book.lock:
            left = sorted(set(self._book.uploads) - self._book.deleted - self._book.doubtful)
        if len(left) < 4:
            return
        victim = chance.choice(left)
        self._book.doubtful.add(victim)
        self.call("DELETE", f"/datasets/{victim}")
        with self._book.lock:
            self._book.deleted.add(victim)
        self._book.count("delete")

    def train(self, chance: random.Random) -> None:
        if len(self._book.models) >= 4 + self._book.done.get("upload", 0) // 30:
            return
        ready = [each for each in self.call("GET", "/datasets", params={"limit": 50})["items"] if each["status"] == "ready"]
        if not ready:
            return
        made = self.call("POST", "/models", json={"dataset": chance.choice(ready)["id"], "target": "answer", "time_budget": 5, "families": ["linear"]})
        if isinstance(made, dict):
            with self._book.lock:
                self._book.models[made["id"]] = made["job_id"]
            self._book.count("train")

    def change_role(self, chance: random.Random) -> None:
        account = chance.choice(sorted(self._book.roles))
        role = chance.choice([each.value for each in Role])
        with self._book.lock:
            self._book.roles[account].add(role)
        self.call("PATCH", f"/users/{account}", json={"role": role})
        with self._book.lock:
            self._book.roles[account] = {role}
        self._book.count("role")


class Inside:
    """Another process of the same home, which is not killed: it keeps working while the others come and go."""

    def __init__(self, book: Book, services: Services, owner: Actor) -> None:
        self._book, self._services, self._owner = book, services, owner

    def upload(self, chance: random.Random) -> None:
        data = table(chance)
        incoming = self._services.datasets.begin_upload(self._owner, DatasetUpload(filename=f"i{chance.randrange(10**12)}.csv"))
        incoming.write(data)
        made = incoming.finish()
        with self._book.lock:
            self._book.uploads[made.id] = hashlib.sha256(data).hexdigest()
        self._book.count("upload inside")

    def rotate(self, chance: random.Random) -> None:
        if chance.random() > 0.1:
            return
        found = self._services.keys.rotate(self._owner)
        self._book.count("rotation")
        if chance.random() < 0.5:
            for each in found.keys:
                if each.state == "old" and each.wraps == 0:
                    self._services.keys.retire(self._owner, each.kid)
                    self._book.count("retired key")

    def rotate_signing(self, chance: random.Random) -> None:
        if chance.random() > 0.1:
            return
        self._services.keys.rotate_signing(self._owner, at_once=chance.random() < 0.3)
        self._book.count("rotation of the signing key")


def table(chance: random.Random) -> bytes:
    rows = [f"{chance.randrange(100)},{chance.random():.3f},{chance.choice(['yes', 'no'])}" for _ in range(chance.randrange(60, 400))]
    return ("x,y,answer\n" + "\n".join(rows) + "\n").encode()


class Watch(threading.Thread):
    """Looks twice a second how long a job was without a living worker, not counting the time when nobody had started one."""

    def __init__(self, services: Services) -> None:
        super().__init__(daemon=True)
        self._services = services
        self.ending = threading.Event()
        self.resting = threading.Event()
        self._since: dict[str, float] = {}
        self._interrupted: set[str] = set()
        self.longest = 0.0

    def run(self) -> None:
        from sqlmodel import select

        while not self.ending.wait(0.5):
            if self.resting.is_set():
                self._rest()
            with suppress(DappError):
                with self._services.context.database.read() as session:
                    workers = {each.id: each.pid for each in session.exec(select(Worker))}
                    jobs = list(session.exec(select(Job)))
                self._look(jobs, workers)

    def _rest(self) -> None:
        began = time.monotonic()
        while self.resting.is_set() and not self.ending.wait(0.1):
            pass
        slept = time.monotonic() - began
        self._since = {job: since + slept for job, since in self._since.items()}

    def _look(self, jobs: list[Job], workers: dict[str, int]) -> None:
        moment = time.monotonic()
        for job in jobs:
            alone = job.status == "running" and not psutil.pid_exists(workers.get(job.worker_id or "", -1))
            if alone:
                self._interrupted.add(job.id)
            if job.status in FINAL_JOB_STATUSES or (job.status == "running" and not alone):
                began = self._since.pop(job.id, None)
                self._interrupted.discard(job.id)
                if began is not None:
                    self.longest = max(self.longest, moment - began)
            elif job.id in self._interrupted:
                self.longest = max(self.longest, moment - self._since.setdefault(job.id, moment))


def kill_one(root: psutil.Process, chance: random.Random) -> str:
    """SIGKILL a random process of the product, but not the one that keeps the others running; says which."""
    family = [each for each in root.children(recursive=True) if each.is_running()]
    chance.shuffle(family)
    for victim in sorted(family, key=lambda _: chance.random()):
        with suppress(psutil.Error):
            words = " ".join(victim.cmdline())
            victim.kill()
            known = {"jupyterlab": "JupyterLab", "dapp_panel": "dashboard", "dapp_ext.worker": "worker", "forkserver": "fork server or job"}
            return next((name for text, name in known.items() if text in words), words[-60:])
    return "nobody"


def kill_all(root: psutil.Process) -> str:
    """SIGKILL the process that keeps the others running, and then what is left of them, as when a machine goes down."""
    family = root.children(recursive=True)
    for each in (root, *family):
        with suppress(psutil.Error):
            each.kill()
    psutil.wait_procs(family, 10)
    return "everything"


def summary(book: Book, killed: list[str], longest: float) -> str:
    killings = {each: killed.count(each) for each in sorted(set(killed))}
    return json.dumps({"done": book.done, "cut off": book.cut, "killed": killings, "longest without a worker": round(longest, 1)})
