"""The chargers that may connect, in one SQLite file (`credentials.sqlite`, readable by its owner alone).

A running server holds the records in memory and sees a change that another process made (`parkwatt charger add`) at its next
look-up: SQLite's `data_version` tells whether another connection has committed, in microseconds.
"""

from __future__ import annotations

import os
import re
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.record import Faults
from parkwatt.io.credentials import password as passwords

_IDENTITY = re.compile(r"[A-Za-z0-9*\-_=+|@.]{1,48}")  # OCPP 2.1 Part 4 §3.1.1
_BUSY_S = 5.0
_TABLE = """
create table if not exists charger (
    id text primary key,
    security_profile integer not null check (security_profile in (1, 2, 3)),
    password_hash text,
    created_unix_us integer not null,
    disabled integer not null default 0
) strict
"""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a charger must show.

    ``security_profile``: the least it must reach: 1 password, 2 TLS and password, 3 TLS with its own certificate.
    ``password_hash``: None where it has no password (profile 3).
    """

    charger_id: str
    security_profile: int
    password_hash: str | None
    created_unix_us: int
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A credential just made. ``password`` is shown to its user once and kept nowhere; None for profile 3."""

    credential: Credential
    password: str | None

    @property
    def authorization_key(self) -> str | None:
        """The password as chargers of OCPP 1.6 want it where they ask for hexadecimal digits (40 at most).

        None where there is no password, or it is longer than the 20 bytes of OCPP 1.6.
        """
        if self.password is None or len(self.password) > 20:
            return None
        return self.password.encode().hex()


class CredentialStore:
    """The records, read from memory and written at once. One thread uses one store."""

    def __init__(self, path: Path) -> None:
        """Open the file at ``path``, or make it.

        Raises:
            InputError: it cannot be opened or is no such file.
        """
        self._path = path
        self._credentials: dict[str, Credential] = {}
        self._seen_version: int | None = None
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._database = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
            self._database.execute("pragma journal_mode = wal")
            self._database.execute("pragma synchronous = full")
            self._database.execute(_TABLE)
        except (OSError, sqlite3.Error) as error:
            raise InputError(
                [InputFault(str(path), f"cannot be used as store of credentials: {error}")]
            ) from error

    def find(self, charger_id: str) -> Credential | None:
        """The record of a charger as it is now; None where there is none."""
        self._refresh()
        return self._credentials.get(charger_id)

    def chargers(self) -> tuple[Credential, ...]:
        """All records, by identity."""
        self._refresh()
        return tuple(
            sorted(self._credentials.values(), key=lambda credential: credential.charger_id)
        )

    def add(
        self, charger_id: str, security_profile: int, now_unix_us: int, password: str | None = None
    ) -> NewCredential:
        """Make the credential of a new charger; ``password`` None lets one be made (profiles 1 and 2).

        Raises:
            InputError: identity, profile or password break a rule, or the charger has a credential already.
        """
        faults = Faults()
        if not _IDENTITY.fullmatch(charger_id):
            rule = "must be 1 to 48 of the letters, digits and * - _ = + | @ . that OCPP allows"
            faults.add("charger", rule, charger_id)
        if security_profile not in (1, 2, 3):
            faults.add("security_profile", "must be 1, 2 or 3", security_profile)
        if password is not None:
            passwords.check_chosen(password, faults)
        if self.find(charger_id) is not None:
            faults.add("charger", "has a credential already", charger_id)
        faults.raise_if_any()
        made = Credential(charger_id, security_profile, None, now_unix_us)
        if security_profile == 3 and password is None:
            self._insert(made)
            return NewCredential(made, None)
        shown, hashed = _hashed(password)
        made = replace(made, password_hash=hashed)
        self._insert(made)
        return NewCredential(made, shown)

    def set_password(self, charger_id: str, password: str | None = None) -> NewCredential:
        """Give a charger another password; None lets one be made. The old one is refused from then on.

        Raises:
            InputError: there is no such charger, or the password breaks a rule.
        """
        faults = Faults()
        if password is not None:
            passwords.check_chosen(password, faults)
        credential = self._existing(charger_id, faults)
        shown, hashed = _hashed(password)
        self._write("update charger set password_hash = ? where id = ?", (hashed, charger_id))
        return NewCredential(replace(credential, password_hash=hashed), shown)

    def set_profile(self, charger_id: str, security_profile: int) -> None:
        """Set the least profile that a charger must reach.

        Raises:
            InputError: there is no such charger or profile.
        """
        faults = Faults()
        if security_profile not in (1, 2, 3):
            faults.add("security_profile", "must be 1, 2 or 3", security_profile)
        self._existing(charger_id, faults)
        self._write(
            "update charger set security_profile = ? where id = ?", (security_profile, charger_id)
        )

    def set_disabled(self, charger_id: str, disabled: bool) -> None:
        """Refuse a charger from now on, or let it in again. A live connection is not touched.

        Raises:
            InputError: there is no such charger.
        """
        self._existing(charger_id, Faults())
        self._write("update charger set disabled = ? where id = ?", (int(disabled), charger_id))

    def remove(self, charger_id: str) -> None:
        """Forget a charger's credential.

        Raises:
            InputError: there is no such charger.
        """
        self._existing(charger_id, Faults())
        self._write("delete from charger where id = ?", (charger_id,))

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> CredentialStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _existing(self, charger_id: str, faults: Faults) -> Credential:
        credential = self.find(charger_id)
        if credential is None:
            faults.add("charger", "has no credential", charger_id)
            raise InputError(faults.found)
        faults.raise_if_any()
        return credential

    def _insert(self, made: Credential) -> None:
        row = (made.charger_id, made.security_profile, made.password_hash, made.created_unix_us)
        try:
            self._write(
                "insert into charger (id, security_profile, password_hash, created_unix_us) values (?, ?, ?, ?)",
                row,
            )
        except sqlite3.IntegrityError as error:  # another process added it since we looked
            fault = InputFault("charger", "has a credential already", made.charger_id)
            raise InputError([fault]) from error

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            self._database.execute(statement, values)
        except sqlite3.OperationalError as error:
            raise InputError(
                [InputFault(str(self._path), f"cannot be written: {error}")]
            ) from error
        self._seen_version = None

    def _refresh(self) -> None:
        """Read the records again if they have changed. A file that is locked for long leaves them as they were."""
        try:
            version = int(self._database.execute("pragma data_version").fetchone()[0])
            if version == self._seen_version:
                return
            rows = self._database.execute(
                "select id, security_profile, password_hash, created_unix_us, disabled from charger"
            ).fetchall()
        except sqlite3.OperationalError as error:
            if self._seen_version is None:
                raise InputError(
                    [InputFault(str(self._path), f"cannot be read: {error}")]
                ) from error
            return
        self._credentials = {
            charger_id: Credential(charger_id, profile, hashed, created_unix_us, bool(disabled))
            for charger_id, profile, hashed, created_unix_us, disabled in rows
        }
        self._seen_version = version


def _hashed(password: str | None) -> tuple[str, str]:
    """The password to show and its stored form."""
    if password is not None:
        return password, passwords.hash_chosen(password)
    made = passwords.new_password()
    return made, passwords.hash_made(made)
