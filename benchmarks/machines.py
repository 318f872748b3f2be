"""Work and news over one PostgreSQL: jobs done by 1, 2 and 4 workers, and how long an event takes to another process.

Starts its own PostgreSQL and Redis (see ``tests/servers.py``), on the loopback of this machine. Prints one line a measure.
"""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from dapp_ext.schema.datasets import DatasetUpload
from dapp_ext.schema.events import Event
from dapp_ext.services import Services, open_services
from dapp_ext.settings import Settings, process_environment
from tests import servers

JOBS = 24
ROWS = 60_000
EVENTS = 60
SECRETS = {"secret_key": "b7Qw0u5Zk2_nXy8Rt4Lm6Pv1Hs3Gd9Fj", "encryption_key": "Jf9dG3sH1vP6mL4tR8yXn2_kZ5u0wQ7b"}


def add_jobs(services: Services, data: bytes) -> list[str]:
    made = []
    for number in range(JOBS):
        incoming = services.datasets.begin_upload(services.system.shell_actor(), DatasetUpload(filename=f"f{number}.csv", size=len(data)))
        incoming.write(data)
        made.append(incoming.finish().id)
    return made


def time_jobs(settings: Settings, workers: int, data: bytes) -> str:
    """Seconds from the moment when all workers are warm until the last of the jobs is done."""
    environment = process_environment(settings)
    running = [subprocess.Popen([sys.executable, "-m", "dapp_ext.worker"], env=environment, stderr=subprocess.DEVNULL) for _ in range(workers)]
    try:
        with open_services(settings) as services:
            owner = services.system.shell_actor()
            while len(services.system.status(owner).workers) < workers:
                time.sleep(0.1)
            time.sleep(12)  # until the libraries are loaded everywhere
            for each in running:
                each.send_signal(signal.SIGSTOP)
            made = add_jobs(services, data)
            finished: Counter[str] = Counter()
            services.events.subscribe(owner, lambda event: _count(event, finished))
            began = time.monotonic()
            for each in running:
                each.send_signal(signal.SIGCONT)
            while len(finished) < JOBS and time.monotonic() - began < 120:
                time.sleep(0.01)
            seconds = time.monotonic() - began
            time.sleep(0.5)
            twice = sum(1 for count in finished.values() if count > 1)
            lost = len(set(made) - set(finished))
    finally:
        for each in running:
            each.terminate()
        for each in running:
            each.wait(30)
    return f"{workers} workers  {JOBS} jobs in {seconds:6.2f} s  {JOBS / seconds:5.1f} a second  {twice} twice  {lost} lost"


def _count(event: Event, finished: Counter[str]) -> None:
    if event.type == "dataset.ready":
        finished[event.subject.id] += 1


# Follows the feed in a process of its own and says when each event arrived, by the clock that all processes share.
FOLLOWER = """
import sys, threading, time
from dapp_ext.services import open_services
from dapp_ext.settings import read_settings
with open_services(read_settings()) as services:
    lines = []
    def deliver(event):
        print(event.id, time.monotonic(), flush=True)
    services.events.subscribe(services.system.shell_actor(), deliver)
    time.sleep(1.5)
    print("follows", flush=True)
    sys.stdin.read()
"""


def time_events(name: str, here: Settings, there: Settings) -> str:
    """From the call that changes something to the moment when another process hands the event to its readers, and when this one does."""
    with open_services(here) as services:
        words = [sys.executable, "-c", FOLLOWER]
        with subprocess.Popen(
            words, env=process_environment(there), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as child:
            assert child.stdout is not None
            assert child.stdin is not None
            while not child.stdout.readline().startswith("follows"):
                pass
            asked, here_at, arrived = list[float](), list[float](), list[float]()
            services.events.subscribe(services.system.shell_actor(), lambda _event: here_at.append(time.monotonic()))
            time.sleep(1)
            for _ in range(EVENTS):
                began = time.monotonic()
                services.accounts.sign_in_owner(door="api", address="")
                asked.append(began)
                arrived.append(float(child.stdout.readline().split()[1]))
                time.sleep(0.02)
            child.stdin.close()
    far, own = (sorted((when - began) * 1000 for when, began in zip(some, asked, strict=True)) for some in (arrived, here_at))
    most = int(0.95 * EVENTS)
    return (
        f"{name:<12} another process p50 {statistics.median(far):5.1f} ms  p95 {far[most]:5.1f} ms; this process p50 {statistics.median(own):5.1f} ms"
        f"  p95 {own[most]:5.1f} ms; added at p95 {far[most] - own[most]:5.1f} ms"
    )


def main() -> None:
    rows = b"".join(b"%d,%d,City %d,%d.5\n" % (row, row * 31 % 97, row % 13, row) for row in range(ROWS))
    data = b"row,value,city,amount\n" + rows
    with tempfile.TemporaryDirectory() as base, servers.postgres() as postgres, servers.redis() as redis:
        folder = Path(base)
        alone = Settings(home=folder / "alone", start_worker=False)
        print(time_events("doorbell", alone, alone))
        shared = Settings(home=folder / "one", start_worker=False, database_url=postgres.address(postgres.new_database()), **SECRETS)
        print(time_events("PostgreSQL", shared, replace(shared, home=folder / "two")))
        nudged = replace(shared, redis_url=redis.url)
        print(time_events("Redis", nudged, replace(nudged, home=folder / "two")))
        for workers in (1, 2, 4):
            fresh = replace(shared, home=folder / f"jobs-{workers}", database_url=postgres.address(postgres.new_database()))
            print(time_jobs(fresh, workers, data))


if __name__ == "__main__":
    main()
