"""The store of credentials, on real files."""

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError
from parkwatt.io.credentials.password import PasswordChecker, new_password
from parkwatt.io.credentials.store import CredentialStore, NewCredential

NOW_UNIX_US = 1_800_000_000_000_000


def test_a_made_password_fits_every_version_and_is_kept_as_a_hash_only(tmp_path: Path) -> None:
    path = tmp_path / "credentials.sqlite"
    with CredentialStore(path) as store:
        made = store.add("CS001", 2, NOW_UNIX_US)
        assert made.password is not None
        assert len(made.password) == 20
        assert made.authorization_key == made.password.encode().hex()
        assert len(made.authorization_key) == 40
        assert store.find("CS001") == made.credential
    for file in tmp_path.iterdir():
        assert made.password.encode() not in file.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_made_passwords_differ_and_avoid_look_alikes() -> None:
    passwords = {new_password() for _ in range(1000)}
    assert len(passwords) == 1000
    assert not set("".join(passwords)) & set("IO01l")


@pytest.mark.parametrize("chosen", [None, "correct-horse-battery"])
def test_the_password_and_its_hexadecimal_form_match_and_nothing_else(
    tmp_path: Path, chosen: str | None
) -> None:
    checker = PasswordChecker()
    with CredentialStore(tmp_path / "c.sqlite") as store:
        made = store.add("CS001", 1, NOW_UNIX_US, chosen)
    assert made.password is not None
    for given_bytes in (made.password.encode(), made.password.encode().hex().encode()):
        if len(given_bytes) <= 40:
            assert matches(checker, made, given_bytes)
    for wrong in (
        b"",
        b"wrong",
        made.password.encode() + b"x",
        made.password[:-1].encode(),
        b"\xff" * 20,
    ):
        assert not matches(checker, made, wrong)


def matches(checker: PasswordChecker, made: NewCredential, given_bytes: bytes) -> bool:
    stored = made.credential.password_hash
    assert stored is not None
    quick = checker.quickly(stored, given_bytes)
    return checker.slowly(stored, given_bytes) if quick is None else quick


def test_a_chosen_password_is_derived_once_in_a_process(tmp_path: Path) -> None:
    checker = PasswordChecker()
    with CredentialStore(tmp_path / "c.sqlite") as store:
        stored = store.add(
            "CS001", 1, NOW_UNIX_US, "correct-horse-battery"
        ).credential.password_hash
    assert stored is not None
    assert checker.quickly(stored, b"correct-horse-battery") is None
    assert checker.slowly(stored, b"correct-horse-battery")
    assert checker.quickly(stored, b"correct-horse-battery") is True
    assert checker.quickly(stored, b"correct-horse-batterz") is None


def test_no_record_never_matches() -> None:
    assert PasswordChecker().quickly(None, b"") is False


@given(password=st.text(max_size=50))
def test_only_passwords_that_ocpp_can_carry_are_taken(password: str) -> None:
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789*-_=:+|@.")
    with TemporaryDirectory() as folder, CredentialStore(Path(folder) / "c.sqlite") as store:
        if 16 <= len(password) <= 40 and set(password) <= allowed:
            assert store.add("CS001", 1, NOW_UNIX_US, password).password == password
        else:
            with pytest.raises(InputError, match="password"):
                store.add("CS001", 1, NOW_UNIX_US, password)


def test_every_fault_is_told_and_nothing_written(tmp_path: Path) -> None:
    with CredentialStore(tmp_path / "c.sqlite") as store:
        with pytest.raises(InputError) as told:
            store.add("a:b", 4, NOW_UNIX_US, "short")
        assert [fault.field for fault in told.value.faults] == [
            "charger",
            "security_profile",
            "password",
        ]
        assert store.chargers() == ()
        store.add("CS001", 1, NOW_UNIX_US)
        with pytest.raises(InputError, match="already"):
            store.add("CS001", 1, NOW_UNIX_US)


def test_a_running_reader_sees_what_another_process_writes(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    with CredentialStore(path) as store:
        assert store.find("CS001") is None
        script = (
            "import sys, pathlib; from parkwatt.io.credentials.store import CredentialStore; "
            "store = CredentialStore(pathlib.Path(sys.argv[1])); store.add('CS001', 3, 1); store.close()"
        )
        subprocess.run([sys.executable, "-c", script, str(path)], check=True)
        found = store.find("CS001")
        assert found is not None
        assert (found.security_profile, found.password_hash) == (3, None)


def test_change_disable_and_remove(tmp_path: Path) -> None:
    checker = PasswordChecker()
    with (
        CredentialStore(tmp_path / "c.sqlite") as store,
        CredentialStore(tmp_path / "c.sqlite") as other,
    ):
        first = store.add("CS001", 1, NOW_UNIX_US)
        second = store.set_password("CS001")
        assert first.password is not None
        assert second.password is not None
        stored = other.find("CS001")
        assert stored is not None
        assert not checker.quickly(stored.password_hash, first.password.encode())
        assert checker.quickly(stored.password_hash, second.password.encode())
        store.set_profile("CS001", 2)
        store.set_disabled("CS001", disabled=True)
        stored = other.find("CS001")
        assert stored is not None
        assert (stored.security_profile, stored.disabled) == (2, True)
        store.remove("CS001")
        assert other.find("CS001") is None
        with pytest.raises(InputError, match="no credential"):
            store.remove("CS001")


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(InputError, match="cannot be used as store"):
        CredentialStore(path)


def test_a_locked_file_serves_what_it_had(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    with CredentialStore(path) as store:
        store.add("CS001", 3, NOW_UNIX_US)
        locker = sqlite3.connect(path, isolation_level=None)
        locker.execute("begin immediate")
        assert store.find("CS001") is not None
        locker.close()
