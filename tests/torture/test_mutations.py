"""Changed bytes: no reader takes them for whole, and none brings a server down."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dapp_ext.errors import IntegrityFailed
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.datasets import DatasetRead, RowsRequest
from dapp_ext.services import Services
from dapp_ext.settings import Settings

SAMPLED = 40
LONGEST = 1200
FORMATS = ("csv", "xlsx", "parquet", "json", "jsonl")


def test_no_changed_byte_of_a_sealed_object_is_accepted(services: Services, settings: Settings, owner: Actor, add_dataset: Callable[..., DatasetRead]) -> None:
    """Every byte of the header, sampled bytes of the body, and every length around the boundaries."""
    dataset = add_dataset()
    seed = random.randrange(2**32)
    print("seed", seed)  # noqa: T201
    chance = random.Random(seed)

    def read(purpose: str) -> object:
        services.context.frames.drop(dataset.id)
        services.context.kept.drop(dataset.id)  # what was read before is kept in memory; here the file counts
        if purpose == "original":
            return b"".join(services.datasets.original(owner, dataset.id).chunks)
        if purpose == "profile":
            return services.datasets.profile(owner, dataset.id)
        return services.datasets.rows(owner, dataset.id, RowsRequest())

    for purpose in ("original", "profile", "table"):
        path = next(settings.objects_folder.rglob(f"*.{purpose}"))
        whole, right = path.read_bytes(), read(purpose)
        header = 12 + int.from_bytes(whole[8:12], "big") + 56 if purpose != "table" else 64
        places = [*range(min(header, len(whole))), *(chance.randrange(len(whole)) for _ in range(SAMPLED)), *range(len(whole) - 20, len(whole))]
        forms = [(f"byte {place}", whole[:place] + bytes([whole[place] ^ (1 << chance.randrange(8))]) + whole[place + 1 :]) for place in places]
        forms += [(f"cut at {size}", whole[:size]) for size in (0, 1, 12, header, len(whole) // 2, len(whole) - 1)]
        forms += [("longer", whole + b"\0"), ("twice", whole + whole)]
        for name, content in forms:
            path.write_bytes(content)
            with pytest.raises(IntegrityFailed):
                accepted = read(purpose)
                # A byte that no reader of a table looks at may be changed, but then what is read is still right.
                if purpose == "table" and accepted == right:
                    raise IntegrityFailed
                pytest.fail(f"{purpose}, {name}: taken for whole")
        path.write_bytes(whole)
        assert read(purpose) == right


READER = """
import io, json, random, sys
from dapp_ext.domain.reading import read_table
from dapp_ext.errors import DappError
from dapp_ext.schema.datasets import ReadOptions
class Sink:
    def start(self, schema): pass
    def write(self, batch): pass
whole = open(sys.argv[1], "rb").read()
kind, seed, count = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
chance = random.Random(seed)
read = refused = 0
for number in range(count):
    data = bytearray(whole)
    for _ in range(chance.choice([1, 1, 3, 20])):
        way = chance.randrange(4)
        place = chance.randrange(len(data)) if data else 0
        if way == 0 and data: data[place] = chance.randrange(256)
        elif way == 1 and data: del data[place:place + chance.randrange(1, 50)]
        elif way == 2: data[place:place] = chance.randbytes(chance.randrange(1, 20))
        elif data: data[place:place] = data[place // 2:place // 2 + chance.randrange(1, 300)]
    try:
        read_table(io.BytesIO(bytes(data)), f"file.{kind}", ReadOptions(), Sink(), lambda fraction: None)
        read += 1
    except DappError:
        refused += 1
    except Exception as error:
        print("number", number, "of seed", seed, file=sys.stderr)
        raise
print(json.dumps([read, refused]))
"""


def sample(kind: str, folder: Path) -> Path:
    import pandas as pd

    path = folder / f"whole.{kind}"
    chance = random.Random(1)
    frame = pd.DataFrame(
        {
            "name": [f"person {number}" for number in range(60)],
            "age": [chance.randrange(90) for _ in range(60)],
            "when": pd.date_range("2024-01-01", periods=60),
            "share": [chance.random() for _ in range(60)],
        }
    )
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "xlsx":
        frame.to_excel(path, index=False)
    elif kind == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=kind == "jsonl", date_format="iso")
    return path


@pytest.mark.parametrize("kind", FORMATS)
def test_mutated_files_are_read_or_refused(tmp_path: Path, kind: str) -> None:
    mutate(tmp_path, kind, 40)


@pytest.mark.long
@pytest.mark.timeout(LONGEST + 20)
@pytest.mark.parametrize("kind", FORMATS)
def test_many_mutated_files_are_read_or_refused(tmp_path: Path, kind: str) -> None:
    mutate(tmp_path, kind, 2000)


def mutate(folder: Path, kind: str, count: int) -> None:
    """In a process of its own, as in the product: it may run out of patience, but must not die or answer with anything but our errors."""
    seed = random.randrange(2**32)
    print("seed", seed)  # noqa: T201
    words = [sys.executable, "-c", READER, str(sample(kind, folder)), kind, str(seed), str(count)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=LONGEST, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, (seed, done.returncode, done.stderr[-2000:])
    read, refused = json.loads(done.stdout.splitlines()[-1])
    assert read + refused == count
    assert refused > 0
