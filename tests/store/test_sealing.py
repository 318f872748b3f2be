"""Sealed streams, files and fields: the public vectors, and nothing gets through that was changed."""

from __future__ import annotations

import hashlib
import io
import os
import random

import pytest
from cryptography.cobblestone import Cobblestone256Decryptor
from hypothesis import given, settings
from hypothesis import strategies as st

from dapp_ext.errors import IntegrityFailed
from dapp_ext.store.sealing import (
    CHUNK_BYTES,
    Label,
    SealedReader,
    SealingWriter,
    field_place,
    open_bytes,
    open_field,
    open_file,
    read_label,
    seal_bytes,
    seal_field,
    start_file,
)

KEY = bytes(range(32))
LABEL = Label("original", "01890000-0000-7000-8000-00000000beef", 3)
YELLOW = b"YELLOW SUBMARINE YELLOW SUBMARIN"
ORANGE = b"ORANGE SUBMARINE ORANGE SUBMARIN"
ZEROS = bytes(CHUNK_BYTES)

# From C2SP Wycheproof, testvectors_v1/c2sp_chunked_encryption_aes_256_gcm_test.json; the number is its tcId.
# Sealed full chunks of these vectors are all zeros, so "|" stands for 16 KiB of them.
# tcId, key, context, sealed, and for a valid one the length and the start of the SHA-512 of the message.
VECTORS = [
    (1, YELLOW, b"", "43a2e39431cbae0389d3fc86adf46f7c3a24de88d9311617e53f3164cc1d5dc738a66b97f0bf7865"
     "65c31799c2f463d50a7e10046011dc6fc3c939e3a5db7affb6191551669554fb", (0, "cf83e1357eefb8bd")),
    (2, YELLOW, b"", "a1a1b56f6db58cd1ede0c5c9db62aef20d3f96a6c594bb9252bb38122de91236502b42a1d7fcab82"
     "0ffa292940d2f86add212cfa42c38df19d3cc9139ee61a5990d3db57433514229beea49a8a72bd", (7, "e85f32a85f1d4f7c")),
    (3, YELLOW, b"", "b9eca7d48b49c76acc0a10833699035db2160b30af69f8844cc09e21ccb4f537032c8fbf2392e57a"
     "192821e903fcd16e8508884f64f8c4b2|0d3065f8fbdbb7864988647a1f996f74002d3c1b8479b72d9039922affeee6e704", (16385, "db9e441f318209d0")),
    (6, YELLOW, b"", "aa61a95ab04aa5eac4ecd9e83ef47f88dd07fdc07e38b6c9d77ec3c07801fc40bec0e07020a0d36d"
     "3e6e6354833c21301d52a32cffe087df|31454358e7e1032d5bb622de82a8bf9b3dca8e38cc0b8942d7eb1f5ef9a56d7b", (16384, "d787e0bf39e0d2e9")),
    (9, YELLOW, b"test context", "dbedaefc1c35dc6c0f22b743b03e488747166a51f33479e7ceb8b7e11cc0d2710f624a12"
     "7501bc4aea7d0af6f83cfe359b9e69415aa537f36adf86eb35b070475baa039bb7791432adbca49578bbd3", (7, "e85f32a85f1d4f7c")),
    # The tag of the last, empty chunk was changed.
    (14, YELLOW, b"", "00e6de0e8d5c0ab3900a489bd965cd5f643b5117c2cf416be6c900ec1b7f9383c95ab4354171a00e"
     "82fbd680f1bc72c0cf15624dd809b8ca|4e734c0ff5c63c9d4f1b5b7073909cc8498f93e51dc3cb76319f8de9e6af2eca", None),
    # Without the tag.
    (16, YELLOW, b"", "2842319b678e0b222150bc2cb8a4cc5c4704c293a215a9702107b9b385fa1a62072a478a944b1bfb"
     "5b349f78cd32e0c4502e84213f8e9d1f00", None),
    # Salt and commitment alone.
    (20, YELLOW, b"", "e728f14e89526f8830991f461c0fd07601a246a0c94b753ba4fab29386d9e39e72d5e8955f709651"
     "b6dedb825c64c984364f74e1b6ac93d6", None),
    # The commitment was changed.
    (21, YELLOW, b"", "a7bf214ab87afe86ae30940aba6d25aa92d1c26a7c4de03ece1f5f63bd31ca5d9517ce97effb9ce6"
     "2c4f01433335d070ca3de6243f4cb67a00a4deb622c6b80140d1c88f54ade32fdc", None),
    # Another key.
    (22, ORANGE, b"", "abeb3f4f4a3ea1f1f76bc25808b37063d4cb21425ca6a8b16271ed22f6a3f51ec7e7fa4dcef19617"
     "9d3c77b5b42103766ae1975bae6ae0690079aa245e53811c13d45a553b0365b499", None),
    # Another context.
    (25, YELLOW, b"wrong context", "36201844cafc0e596bec8782c560b7b1d065b90a94d227007f07a7185f0c1f449310232a"
     "0ff1d5667ece42aff4e7c0359df78ece43b312d50034c80236b5c7900f7eebe540d242b8eb", None),
    # A full chunk at the end: what followed was cut off.
    (31, YELLOW, b"", "e27b019a1bfeb83adcaeb375754730ec315786523f831a1fa27d91b9fb79626946a172a0844bd3cc"
     "f2d7ebddb9b4d8565f24210e5dfc5ebf|37eb36fa792ba195e1ebf12338688d8c", None),
    # The first two chunks were swapped.
    (33, YELLOW, b"", "7d6a1dd319cebce4f60b9ffee89c4f75eef8a764325aac7c76fb0cb8b88cbaa1b7b8309ea798cbd8"
     "1927d2fd8afa9e62c2ae361e982a37b2|7cc26016fc19cc46cc1d5be9f660e336|9688953684cb8c7ff9f047b449bf301b"
     "00f0f3b9f61d94e666bb6787e54caca1e4", None),
    # A further sealed chunk after the last one.
    (35, YELLOW, b"", "519c3f8c2a3853a258ed1c0fb13b12194625ada3e286de26d884cdba7e26a4313966d62b8a20be09"
     "0bf906e16aed16a301689c71ea52e78d|5ab16cffec7dd116088699bd909279cc00a569cac3d4bf9e99d5497a10296c1872"
     "00c85a3efad404b60bebc6b0528f374156", None),
]  # fmt: skip


def unfold(text: str) -> bytes:
    return ZEROS.join(bytes.fromhex(piece) for piece in text.split("|"))


def content(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def sealed_file(data: bytes, key: bytes = KEY, label: Label = LABEL) -> bytes:
    raw = io.BytesIO()
    writer = start_file(raw, key, label)
    writer.write(data)
    writer.finish()
    return raw.getvalue()


@pytest.mark.parametrize(("key", "context", "sealed", "message"), [each[1:] for each in VECTORS], ids=[str(each[0]) for each in VECTORS])
def test_public_vectors(key: bytes, context: bytes, sealed: str, message: tuple[int, str] | None) -> None:
    data = unfold(sealed)
    if message is None:
        with pytest.raises(IntegrityFailed):
            open_bytes(key, context, data)
        return
    opened = open_bytes(key, context, data)
    assert (len(opened), hashlib.sha512(opened).hexdigest()[:16]) == message


@pytest.mark.parametrize("key", [ORANGE[:-1], ORANGE + b"E", b""])
def test_a_key_of_another_length_is_refused(key: bytes) -> None:
    with pytest.raises(IntegrityFailed):
        open_bytes(key, b"", unfold(VECTORS[0][3]))
    with pytest.raises(ValueError, match="32 bytes"):
        seal_bytes(key, b"", b"x")
    with pytest.raises(ValueError, match="32 bytes"):
        seal_field(key, b"", b"x")


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3_000_000])
def test_every_length_comes_back_and_takes_the_room_it_should(size: int) -> None:
    data = content(size)
    raw = io.BytesIO()
    writer = SealingWriter(raw, KEY, b"here")
    for start in range(0, size, 70_001):
        assert writer.write(data[start : start + 70_001]) == len(data[start : start + 70_001])
    assert writer.finish() == size == writer.tell()
    sealed = raw.getvalue()
    assert len(sealed) == 56 + size + 16 * (size // CHUNK_BYTES + 1)
    assert open_bytes(KEY, b"here", sealed) == data
    # What our reader opens is what any other implementation opens.
    decryptor = Cobblestone256Decryptor(KEY, b"here")
    assert decryptor.update(sealed) + decryptor.finalize() == data


def test_a_device_that_takes_little_at_a_time_gets_everything() -> None:
    class Narrow(io.BytesIO):
        def write(self, data: object) -> int:  # type: ignore[override]
            return super().write(bytes(data)[:1000])  # type: ignore[call-overload]

    data = content(100_000)
    raw = Narrow()
    writer = SealingWriter(raw, KEY, b"")
    writer.write(data)
    writer.finish()
    assert open_bytes(KEY, b"", raw.getvalue()) == data


def test_a_stream_without_its_end_is_refused() -> None:
    raw = io.BytesIO()
    writer = SealingWriter(raw, KEY, b"")
    writer.write(content(5 * CHUNK_BYTES))
    writer.close()
    with pytest.raises(IntegrityFailed):
        open_bytes(KEY, b"", raw.getvalue())


def test_nothing_is_written_after_the_end() -> None:
    writer = SealingWriter(io.BytesIO(), KEY, b"")
    writer.finish()
    with pytest.raises(ValueError, match="finish"):
        writer.write(b"x")
    with pytest.raises(ValueError, match="finish"):
        writer.finish()


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 120_000), st.lists(st.tuples(st.integers(0, 130_000), st.integers(-1, 70_000)), max_size=12))
def test_reading_anywhere_gives_what_was_written_there(size: int, reads: list[tuple[int, int]]) -> None:
    data = content(size)
    with SealedReader(io.BytesIO(seal_bytes(KEY, b"c", data)), KEY, b"c") as reader:
        plain = io.BytesIO(data)
        for position, length in reads:
            assert reader.seek(position) == plain.seek(position)
            assert reader.read(length) == plain.read(length)
            assert reader.tell() == plain.tell()


def test_it_is_a_file_like_any_other() -> None:
    text = "".join(f"line {i} with ä and 漢\n" for i in range(5000))
    sealed = seal_bytes(KEY, b"", text.encode())
    with SealedReader(io.BytesIO(sealed), KEY, b"") as reader:
        assert reader.readable()
        assert reader.seekable()
        assert reader.size == len(text.encode())
        assert reader.seek(-10, io.SEEK_END) == reader.size - 10
        assert reader.read() == text.encode()[-10:]
        assert reader.read(5) == b""
        reader.seek(0)
        assert reader.readline() == b"line 0 with \xc3\xa4 and \xe6\xbc\xa2\n"
        assert reader.peek()[:6] == b"line 1"
        assert reader.read1(6) == b"line 1"
        buffer = bytearray(50_000)
        reader.seek(7)
        assert reader.readinto(buffer) == 50_000
        assert bytes(buffer) == text.encode()[7:50_007]
        reader.seek(0)
        assert io.TextIOWrapper(reader, "utf-8", newline="").read() == text
    with pytest.raises(ValueError, match="closed"):
        reader.read(5)


def test_the_stream_begins_where_the_file_stands() -> None:
    raw = io.BytesIO(b"something before" + seal_bytes(KEY, b"", b"hello"))
    raw.seek(16)
    assert SealedReader(raw, KEY, b"").read() == b"hello"


@pytest.mark.parametrize("data", [b"", b"short", content(2 * CHUNK_BYTES + 100)])
def test_every_byte_of_the_head_and_many_of_the_body_are_guarded(data: bytes) -> None:
    sealed = sealed_file(data)
    head = len(LABEL.header()) + 56
    rest = random.Random(1).sample(range(head, len(sealed)), min(len(sealed) - head, 80))
    for position in [*range(head), *rest, len(sealed) - 1]:
        changed = bytearray(sealed)
        changed[position] ^= 1 << position % 8
        with pytest.raises(IntegrityFailed), open_file(io.BytesIO(bytes(changed)), KEY, LABEL) as reader:
            reader.read()


def test_bytes_before_a_changed_chunk_are_good_and_none_of_it_comes_out() -> None:
    data = content(4 * CHUNK_BYTES)
    sealed = bytearray(seal_bytes(KEY, b"", data))
    sealed[56 + 2 * (CHUNK_BYTES + 16) + 5] ^= 1
    with SealedReader(io.BytesIO(bytes(sealed)), KEY, b"") as reader:
        assert reader.read(2 * CHUNK_BYTES) == data[: 2 * CHUNK_BYTES]
        target = bytearray(CHUNK_BYTES)
        for _ in range(2):
            with pytest.raises(IntegrityFailed):
                reader.readinto(target)
            assert target == bytes(CHUNK_BYTES)
        reader.seek(3 * CHUNK_BYTES)
        assert reader.read() == data[3 * CHUNK_BYTES :]


def test_cutting_and_adding_are_refused() -> None:
    sealed = seal_bytes(KEY, b"", content(3 * CHUNK_BYTES + 10))
    chunk = CHUNK_BYTES + 16
    ends = {0, 1, 23, 24, 55, 56, 57, 71, 72} | {56 + i * chunk + d for i in range(1, 4) for d in (-1, 0, 1, 15, 16, 17)} | {len(sealed) - 1}
    for end in sorted(ends):
        with pytest.raises(IntegrityFailed):
            open_bytes(KEY, b"", sealed[:end])
    for tail in (b"\0", bytes(16), sealed[-26:], sealed[56 : 56 + chunk], bytes(chunk)):
        with pytest.raises(IntegrityFailed):
            open_bytes(KEY, b"", sealed + tail)


def test_moving_chunks_is_refused() -> None:
    sealed = seal_bytes(KEY, b"", content(3 * CHUNK_BYTES + 10))
    chunk = CHUNK_BYTES + 16
    head, tail = sealed[:56], sealed[56 + 3 * chunk :]
    a, b, c = (sealed[56 + i * chunk : 56 + (i + 1) * chunk] for i in range(3))
    assert open_bytes(KEY, b"", head + a + b + c + tail) == content(3 * CHUNK_BYTES + 10)
    for other in ([b, a, c], [a, c, b], [a, a, c], [b, c], [a, b, c, c], [a]):
        with pytest.raises(IntegrityFailed):
            open_bytes(KEY, b"", head + b"".join(other) + tail)


def test_a_file_opens_only_under_its_own_label_and_key() -> None:
    sealed = sealed_file(b"content")
    with open_file(io.BytesIO(sealed), KEY, LABEL) as reader:
        assert reader.read() == b"content"
    others = [
        Label("model", LABEL.object_id, LABEL.generation),
        Label(LABEL.purpose, "01890000-0000-7000-8000-00000000cafe", LABEL.generation),
        Label(LABEL.purpose, LABEL.object_id, LABEL.generation + 1),
        Label(LABEL.purpose, LABEL.object_id, LABEL.generation - 1),
    ]
    for other in others:
        with pytest.raises(IntegrityFailed):
            open_file(io.BytesIO(sealed), KEY, other)
        # Not even when the other file's header is put in front of this one's content.
        swapped = other.header() + sealed[len(LABEL.header()) :]
        with pytest.raises(IntegrityFailed):
            open_file(io.BytesIO(swapped), KEY, other)
    with pytest.raises(IntegrityFailed):
        open_file(io.BytesIO(sealed), ORANGE, LABEL)


def test_the_label_can_be_read_without_a_key() -> None:
    assert read_label(io.BytesIO(sealed_file(b"x"))) == LABEL


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"DAPPENC\x01",
        b"DAPPENC\x02\0\0\0\x02{}",
        b"DAPPENC\x01\0\0\0\x02{}",
        b"DAPPENC\x01\xff\xff\xff\xff{}",
        b"DAPPENC\x01\0\0\0\x05{nope",
        b"PAR1 or anything else at all",
        LABEL.header().replace(b'{"gen"', b'{ "gen"').replace(b"\0\0\0\x79", b"\0\0\0\x7a"),
    ],
)
def test_what_is_not_a_sealed_file_is_refused(head: bytes) -> None:
    with pytest.raises(IntegrityFailed):
        read_label(io.BytesIO(head))
    with pytest.raises(IntegrityFailed):
        open_file(io.BytesIO(head), KEY, LABEL)


def test_equal_contents_never_look_alike() -> None:
    sealed = {seal_bytes(KEY, b"", b"the same") for _ in range(1000)}
    fields = {seal_field(KEY, b"", b"the same") for _ in range(1000)}
    assert len({each[:24] for each in sealed}) == len({each[56:] for each in sealed}) == len({each[:12] for each in fields}) == 1000


@settings(derandomize=True, deadline=None)
@given(st.binary(max_size=300), st.text(max_size=20))
def test_a_field_opens_only_in_its_place(data: bytes, row: str) -> None:
    place = field_place("accounts", row, "name")
    sealed = seal_field(KEY, place, data)
    assert len(sealed) == len(data) + 28
    assert open_field(KEY, place, sealed) == data
    for other in (field_place("accounts", row + "x", "name"), field_place("accounts", row, "email"), field_place("models", row, "name")):
        with pytest.raises(IntegrityFailed):
            open_field(KEY, other, sealed)


def test_every_byte_of_a_field_is_guarded() -> None:
    sealed = seal_field(KEY, b"place", b"value")
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 0x80
        with pytest.raises(IntegrityFailed):
            open_field(KEY, b"place", bytes(changed))
    for cut in (sealed[:-1], sealed[:27], b""):
        with pytest.raises(IntegrityFailed):
            open_field(KEY, b"place", cut)
    with pytest.raises(IntegrityFailed):
        open_field(os.urandom(32), b"place", sealed)


def test_places_of_fields_cannot_be_confused() -> None:
    assert field_place("ab", "c", "d") != field_place("a", "bc", "d")
    assert field_place('a","b', "c", "d") != field_place("a", 'b","c', "d")


def test_all_failures_say_the_same() -> None:
    sealed = sealed_file(b"content")
    said = set()
    for data, key in ((sealed[:-1], KEY), (sealed, ORANGE), (b"x" + sealed, KEY), (sealed + b"x", KEY)):
        with pytest.raises(IntegrityFailed) as caught:
            open_file(io.BytesIO(data), key, LABEL)
        said.add((caught.value.code, caught.value.message, str(caught.value.details)))
    assert len(said) == 1
