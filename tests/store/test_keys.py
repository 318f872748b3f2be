"""The root key: made once, kept private, never mistaken for another; and what comes from it."""

from __future__ import annotations

import os
import pickle
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature

from dapp_ext.errors import IntegrityFailed, KeyWrong
from dapp_ext.settings import Settings
from dapp_ext.store.keys import Keyring, fingerprint_of, open_keyring, wrapped_kid

SECRET = "4ePw0nWb8xq1ZtGm6vRk3yHs9uJd2cLa5fQi7oTe"
OTHER = "Zk3uYt9vQm1xWb7nRe5cHs2pLd8fJg4aTo6iVy0w"


def settings(home: Path, **given: str) -> Settings:
    return Settings(home=home / "home", **given)  # type: ignore[arg-type]


def test_the_first_start_makes_private_keys_and_the_next_finds_them(tmp_path: Path) -> None:
    first = open_keyring(settings(tmp_path))
    folder = tmp_path / "home" / "keys"
    names = {path.name for path in folder.iterdir()}
    assert names == {f"root-{first.kid}.key", "active", "signing.pem"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    again = open_keyring(settings(tmp_path), expected=first.fingerprint)
    assert again.fingerprint == first.fingerprint
    assert again.signing_key().kid == first.signing_key().kid
    assert again.unwrap(first.wrap(b"k" * 32, "object"), "object") == b"k" * 32


def test_two_homes_have_two_keys(tmp_path: Path) -> None:
    one, two = open_keyring(settings(tmp_path / "1")), open_keyring(settings(tmp_path / "2"))
    assert one.fingerprint != two.fingerprint
    assert one.signing_key().kid != two.signing_key().kid
    with pytest.raises(KeyWrong):
        one.unwrap(two.wrap(b"k" * 32, "object"), "object")


def test_many_processes_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from dapp_ext.settings import Settings; from dapp_ext.store.keys import open_keyring\n"
        "home, at = Path(sys.argv[1]), float(sys.argv[2])\n"
        "while time.time() < at: pass\n"
        "ring = open_keyring(Settings(home=home)); print(ring.fingerprint, ring.signing_key().kid)"
    )
    import time

    at = str(time.time() + 2.0)
    root = Path(__file__).parents[2]
    children = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "home"), at], stdout=subprocess.PIPE, text=True, cwd=root) for _ in range(6)]
    said = [child.communicate(timeout=60)[0].strip() for child in children]
    assert all(child.returncode == 0 for child in children)
    assert len(set(said)) == 1
    assert len(said[0].split()) == 2
    assert len(list((tmp_path / "home" / "keys").glob("root-*.key"))) == 1


def test_a_start_that_was_killed_half_way_is_taken_up(tmp_path: Path) -> None:
    first = open_keyring(settings(tmp_path))
    folder = tmp_path / "home" / "keys"
    (folder / "active").unlink()
    (folder / ".active.new").write_text("torn")
    assert open_keyring(settings(tmp_path)).fingerprint == first.fingerprint
    assert (folder / "active").read_text().strip() == first.kid


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
@pytest.mark.parametrize("name", ["root", "active", "signing.pem"])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int, name: str) -> None:
    kid = open_keyring(settings(tmp_path)).kid
    path = tmp_path / "home" / "keys" / (f"root-{kid}.key" if name == "root" else name)
    path.chmod(mode)
    with pytest.raises(KeyWrong, match="chmod 600"):
        open_keyring(settings(tmp_path))
    path.chmod(0o600)
    open_keyring(settings(tmp_path))


def test_a_folder_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    open_keyring(settings(tmp_path))
    folder = tmp_path / "home" / "keys"
    folder.chmod(0o755)
    with pytest.raises(KeyWrong, match="chmod 700"):
        open_keyring(settings(tmp_path))


def test_a_link_in_place_of_a_key_is_refused(tmp_path: Path) -> None:
    kid = open_keyring(settings(tmp_path)).kid
    path = tmp_path / "home" / "keys" / f"root-{kid}.key"
    moved = tmp_path / "elsewhere.key"
    path.rename(moved)
    path.symlink_to(moved)
    with pytest.raises(KeyWrong, match="cannot be read"):
        open_keyring(settings(tmp_path))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_of_another_account_is_refused(tmp_path: Path) -> None:
    kid = open_keyring(settings(tmp_path)).kid
    os.chown(tmp_path / "home" / "keys" / f"root-{kid}.key", 65534, 65534)
    with pytest.raises(KeyWrong, match="another account"):
        open_keyring(settings(tmp_path))


@pytest.mark.parametrize("damage", [b"", b"dapp-root-v1 AAAA\n", b"dapp-root-v1 " + b"A" * 43 + b"=\n", b"\xff\xfe\x00"])
def test_a_damaged_key_file_is_named(tmp_path: Path, damage: bytes) -> None:
    kid = open_keyring(settings(tmp_path)).kid
    path = tmp_path / "home" / "keys" / f"root-{kid}.key"
    path.write_bytes(damage)
    with pytest.raises(KeyWrong, match=r"root-.*damaged"):
        open_keyring(settings(tmp_path))


def test_a_damaged_signing_key_is_named(tmp_path: Path) -> None:
    open_keyring(settings(tmp_path))
    path = tmp_path / "home" / "keys" / "signing.pem"
    path.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    with pytest.raises(KeyWrong, match=r"signing\.pem is damaged"):
        open_keyring(settings(tmp_path))


def test_a_lost_key_is_never_replaced_by_a_new_one(tmp_path: Path) -> None:
    first = open_keyring(settings(tmp_path))
    folder = tmp_path / "home" / "keys"
    (folder / f"root-{first.kid}.key").rename(tmp_path / "kept")
    with pytest.raises(KeyWrong, match="missing"):
        open_keyring(settings(tmp_path))
    (folder / "active").unlink()
    with pytest.raises(KeyWrong, match="no key file"):
        open_keyring(settings(tmp_path), expected=first.fingerprint)
    assert not list(folder.glob("root-*"))
    folder.rename(tmp_path / "moved")
    with pytest.raises(KeyWrong, match="keys is missing"):
        open_keyring(settings(tmp_path), expected=first.fingerprint)
    assert not folder.exists()


def test_the_wrong_key_stops_with_one_line(tmp_path: Path) -> None:
    first = open_keyring(settings(tmp_path, encryption_key=SECRET))
    other = settings(tmp_path, encryption_key=OTHER)
    with pytest.raises(KeyWrong) as caught:
        open_keyring(other, expected=first.fingerprint)
    assert "\n" not in str(caught.value)
    assert "DAPP_ENCRYPTION_KEY" in str(caught.value)
    with pytest.raises(KeyWrong):
        open_keyring(other).check(first.fingerprint)
    first.check(first.fingerprint)


def test_secrets_in_the_settings_need_no_files(tmp_path: Path) -> None:
    given = settings(tmp_path, encryption_key=SECRET, secret_key=OTHER)
    ring, again = open_keyring(given), open_keyring(given)
    assert not (tmp_path / "home").exists()
    assert ring.fingerprint == again.fingerprint
    assert ring.signing_key().kid == again.signing_key().kid
    assert open_keyring(settings(tmp_path, encryption_key=OTHER, secret_key=SECRET)).fingerprint != ring.fingerprint
    signature = ring.signing_key().private_key.sign(b"token")
    again.signing_key().public_key.verify(signature, b"token")
    with pytest.raises(InvalidSignature):
        again.signing_key().public_key.verify(signature, b"another token")


def test_a_secret_in_the_settings_still_opens_what_the_file_wrapped(tmp_path: Path) -> None:
    from_file = open_keyring(settings(tmp_path))
    wrapped = from_file.wrap(b"k" * 32, "object")
    ring = open_keyring(settings(tmp_path, encryption_key=SECRET))
    assert ring.kid != from_file.kid
    assert ring.kids == [ring.kid, from_file.kid]
    assert ring.unwrap(wrapped, "object") == b"k" * 32
    assert wrapped_kid(wrapped) == from_file.kid
    assert wrapped_kid(ring.wrap(b"k" * 32, "object")) == ring.kid
    # The home was sealed with the file's key, so this secret is not the one that it expects.
    with pytest.raises(KeyWrong):
        open_keyring(settings(tmp_path, encryption_key=SECRET), expected=from_file.fingerprint)


def test_several_roots_at_once() -> None:
    old, new = os.urandom(32), os.urandom(32)
    kids = {root: fingerprint_of(root)[:16] for root in (old, new)}
    before = Keyring({kids[old]: old}, kids[old], bytes(32))
    wrapped, field = before.wrap(b"k" * 32, "object"), before.seal_field("t", "1", "c", b"value")
    after = Keyring({kids[old]: old, kids[new]: new}, kids[new], bytes(32))
    assert after.unwrap(wrapped, "object") == b"k" * 32
    assert after.open_field("t", "1", "c", field) == b"value"
    again = after.wrap(after.unwrap(wrapped, "object"), "object")
    retired = Keyring({kids[new]: new}, kids[new], bytes(32))
    assert retired.unwrap(again, "object") == b"k" * 32
    for opened in (lambda: retired.unwrap(wrapped, "object"), lambda: retired.open_field("t", "1", "c", field)):
        with pytest.raises(KeyWrong, match=kids[old]):
            opened()


def test_a_wrapped_key_belongs_to_one_object_and_every_byte_is_guarded(tmp_path: Path) -> None:
    ring = open_keyring(settings(tmp_path))
    key = ring.new_data_key()
    wrapped = ring.wrap(key, "one")
    assert key not in wrapped
    with pytest.raises(IntegrityFailed):
        ring.unwrap(wrapped, "two")
    for position in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[position] ^= 1
        with pytest.raises((IntegrityFailed, KeyWrong)):
            ring.unwrap(bytes(changed), "one")
    for cut in (b"", wrapped[:5], wrapped[:9], wrapped[:-1]):
        with pytest.raises(IntegrityFailed):
            ring.unwrap(cut, "one")


def test_fields_open_in_their_place_alone(tmp_path: Path) -> None:
    ring = open_keyring(settings(tmp_path))
    sealed = ring.seal_field("datasets", "7", "profile", b"value")
    assert ring.open_field("datasets", "7", "profile", sealed) == b"value"
    with pytest.raises(IntegrityFailed):
        ring.open_field("datasets", "8", "profile", sealed)
    with pytest.raises(IntegrityFailed):
        ring.unwrap(sealed, "7")


def test_each_purpose_has_a_key_of_its_own(tmp_path: Path) -> None:
    ring = open_keyring(settings(tmp_path))
    keys = [ring.derive(purpose) for purpose in ("pepper", "refresh", "audit-mac", "data-keys", "fields")]
    assert len(set(keys)) == 5
    assert {len(key) for key in keys} == {32}
    assert ring.derive("pepper") == keys[0] == ring.derive("pepper", ring.kid)
    with pytest.raises(KeyWrong):
        ring.derive("pepper", "0" * 16)


def test_data_keys_are_random(tmp_path: Path) -> None:
    ring = open_keyring(settings(tmp_path))
    assert len({ring.new_data_key() for _ in range(1000)}) == 1000


def test_keys_do_not_leave_by_accident(tmp_path: Path) -> None:
    ring = open_keyring(settings(tmp_path))
    shown = repr(ring) + str(ring) + repr(ring.signing_key())
    assert ring.derive("root").hex() not in shown
    assert "Ed25519PrivateKey" not in shown
    with pytest.raises(TypeError, match="stays in its process"):
        pickle.dumps(ring)


def test_who_holds_keys_leaves_no_picture_of_its_memory(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        open_keyring(settings(tmp_path))
        assert resource.getrlimit(resource.RLIMIT_CORE) == (0, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)
