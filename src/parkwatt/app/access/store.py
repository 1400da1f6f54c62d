"""The file `access.sqlite`: users, sessions, API tokens and sign-in links. Readable by its owner alone.

Of sessions, tokens and links only the SHA-256 is kept: they hold 256 random bits, so nobody who steals the file can use one,
and none can be shown again. One server has the file at a time and holds the records in memory; each method is one transaction
that is durable when it returns, and takes milliseconds: call it in a thread.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from parkwatt.app.access.roles import Role, Scope
from parkwatt.domain.errors import InputError, InputFault

_BUSY_S: Final = 5.0
_TABLES: Final = (
    """create table if not exists user (
    id integer primary key autoincrement,
    name text not null,
    role text not null check (role in ('owner', 'driver', 'guest', 'installer')),
    cars text not null,
    backup integer not null,
    password_hash text,
    created_unix_s integer not null
) strict""",
    """create table if not exists session (
    digest blob primary key,
    user_id integer not null references user (id) on delete cascade,
    created_unix_s integer not null,
    used_unix_s integer not null
) strict""",
    """create table if not exists token (
    id integer primary key autoincrement,
    digest blob not null unique,
    label text not null,
    scopes text not null,
    cars text not null,
    created_unix_s integer not null,
    used_unix_s integer
) strict""",
    """create table if not exists link (
    digest blob primary key,
    user_id integer not null references user (id) on delete cascade,
    expires_unix_s integer not null
) strict""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person. ``cars``: those that a driver speaks for; None: all (owners). ``backup``: whether a driver decides on backup.

    ``password_hash``: None: signs in by links alone.
    """

    user_id: int
    name: str
    role: Role
    cars: frozenset[str] | None
    backup: bool
    password_hash: str | None
    created_unix_s: int


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in."""

    digest: bytes
    user_id: int
    created_unix_s: int
    used_unix_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A program that may call. ``cars``: None: all. ``used_unix_s``: None: never yet."""

    token_id: int
    digest: bytes
    label: str
    scopes: frozenset[Scope]
    cars: frozenset[str] | None
    created_unix_s: int
    used_unix_s: int | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A sign-in link that was not used yet."""

    digest: bytes
    user_id: int
    expires_unix_s: int


class AccessStore:
    """The open file. One thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open the file at ``path``, or make it. Raises InputError where it cannot be used."""
        self._path = path
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._database = sqlite3.connect(
                path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            self._database.execute("pragma journal_mode = wal")
            self._database.execute("pragma synchronous = full")
            self._database.execute("pragma foreign_keys = on")
            for statement in _TABLES:
                self._database.execute(statement)
        except (OSError, sqlite3.Error) as error:
            rule = f"cannot be used as store of users: {error}"
            raise InputError([InputFault(str(path), rule)]) from error

    def users(self) -> list[User]:
        """All, by their number."""
        rows = self._database.execute(
            "select id, name, role, cars, backup, password_hash, created_unix_s from user order by id"
        )
        return [
            User(
                user_id=number,
                name=name,
                role=role,
                cars=_read_cars(cars),
                backup=bool(backup),
                password_hash=password_hash,
                created_unix_s=created_unix_s,
            )
            for number, name, role, cars, backup, password_hash, created_unix_s in rows
        ]

    def sessions(self) -> list[Session]:
        """All, also those that ran out."""
        rows = self._database.execute(
            "select digest, user_id, created_unix_s, used_unix_s from session"
        )
        return [Session(*row) for row in rows]

    def tokens(self) -> list[ApiToken]:
        """All, by their number."""
        rows = self._database.execute(
            "select id, digest, label, scopes, cars, created_unix_s, used_unix_s from token order by id"
        )
        return [
            ApiToken(
                token_id=number,
                digest=digest,
                label=label,
                scopes=frozenset(msgspec.json.decode(scopes, type=list[Scope])),
                cars=_read_cars(cars),
                created_unix_s=created_unix_s,
                used_unix_s=used_unix_s,
            )
            for number, digest, label, scopes, cars, created_unix_s, used_unix_s in rows
        ]

    def links(self) -> list[Link]:
        """All, also those that ran out."""
        rows = self._database.execute("select digest, user_id, expires_unix_s from link")
        return [Link(*row) for row in rows]

    def add_user(self, user: User, session: Session | None = None) -> int:
        """A new user, and their first session where they come with one; both are given the number that is returned."""
        with self._transaction():
            row = (
                *(user.name, user.role, _cars(user.cars), int(user.backup)),
                *(user.password_hash, user.created_unix_s),
            )
            number = self._database.execute(
                "insert into user (name, role, cars, backup, password_hash, created_unix_s) values (?, ?, ?, ?, ?, ?)",
                row,
            ).lastrowid
            assert number is not None  # noqa: S101 of an insert into a table with a number
            if session is not None:
                self._add_session(session, number)
        return number

    def change_user(self, user: User, ended: Iterable[bytes] = ()) -> None:
        """What a user is from now on. ``ended``: sessions that this ends."""
        with self._transaction():
            self._database.execute(
                "update user set name = ?, role = ?, cars = ?, backup = ?, password_hash = ? where id = ?",
                (
                    *(user.name, user.role, _cars(user.cars), int(user.backup)),
                    *(user.password_hash, user.user_id),
                ),
            )
            self._end(ended)

    def remove_user(self, user_id: int) -> None:
        """A user goes, with their sessions and links."""
        with self._transaction():
            self._database.execute("delete from user where id = ?", (user_id,))

    def add_session(
        self, session: Session, ended: Iterable[bytes] = (), link: bytes | None = None
    ) -> None:
        """Somebody signs in. ``ended``: sessions that go with it; ``link``: used up with it."""
        with self._transaction():
            if link is not None:
                self._database.execute("delete from link where digest = ?", (link,))
            self._end(ended)
            self._add_session(session, session.user_id)

    def end_sessions(self, digests: Iterable[bytes]) -> None:
        """Sessions end."""
        with self._transaction():
            self._end(digests)

    def add_token(self, token: ApiToken) -> int:
        """A new API token; its number is returned."""
        with self._transaction():
            number = self._database.execute(
                "insert into token (digest, label, scopes, cars, created_unix_s) values (?, ?, ?, ?, ?)",
                (
                    *(token.digest, token.label, _json(sorted(token.scopes)), _cars(token.cars)),
                    token.created_unix_s,
                ),
            ).lastrowid
        assert number is not None  # noqa: S101 of an insert into a table with a number
        return number

    def remove_token(self, token_id: int) -> None:
        """A token is no longer taken."""
        with self._transaction():
            self._database.execute("delete from token where id = ?", (token_id,))

    def add_link(self, link: Link) -> None:
        """A new sign-in link."""
        with self._transaction():
            self._database.execute(
                "insert into link values (?, ?, ?)",
                (link.digest, link.user_id, link.expires_unix_s),
            )

    def note_use(
        self, sessions: Sequence[Session], tokens: Sequence[ApiToken], links: Iterable[bytes]
    ) -> None:
        """When sessions and tokens were last used. ``links``: ran out and go."""
        with self._transaction():
            self._database.executemany(
                "update session set used_unix_s = ? where digest = ?",
                [(one.used_unix_s, one.digest) for one in sessions],
            )
            self._database.executemany(
                "update token set used_unix_s = ? where id = ?",
                [(one.used_unix_s, one.token_id) for one in tokens],
            )
            self._database.executemany(
                "delete from link where digest = ?", [(digest,) for digest in links]
            )

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _add_session(self, session: Session, user_id: int) -> None:
        self._database.execute(
            "insert into session values (?, ?, ?, ?)",
            (session.digest, user_id, session.created_unix_s, session.used_unix_s),
        )

    def _end(self, digests: Iterable[bytes]) -> None:
        self._database.executemany(
            "delete from session where digest = ?", [(digest,) for digest in digests]
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing. Raises sqlite3.Error, which the API tells as 503."""
        self._database.execute("begin immediate")
        try:
            yield
            self._database.execute("commit")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("rollback")
            raise


def _cars(cars: frozenset[str] | None) -> str:
    return _json(None if cars is None else sorted(cars))


def _read_cars(text: str) -> frozenset[str] | None:
    cars = msgspec.json.decode(text, type=list[str] | None)
    return None if cars is None else frozenset(cars)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
