"""The records of `access.sqlite` in memory: what every request is checked against, in microseconds.

They belong to the event loop. What changes them takes its turn, is durable first (in a thread), and is seen by requests then.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from parkwatt.app.access.names import key_of
from parkwatt.app.access.roles import Caller, scopes_of
from parkwatt.app.access.store import AccessStore, ApiToken, Link, Session, User
from parkwatt.domain.errors import InputError, InputFault

_DAY_S: Final = 86_400
# A session ends when nobody used it for so long, and in any case so long after its sign-in.
IDLE_S: Final = 30 * _DAY_S
LONGEST_S: Final = 180 * _DAY_S


class Records:
    """All of the file. ``now_unix_s``: the clock of the machine, not of the site: a demo's days are minutes."""

    def __init__(self, path: Path, now_unix_s: Callable[[], float]) -> None:
        """Raises InputError where the file cannot be used."""
        self.store = AccessStore(path)
        self.turn = asyncio.Lock()
        self.users: dict[int, User] = {one.user_id: one for one in self.store.users()}
        self.sessions: dict[bytes, Session] = {one.digest: one for one in self.store.sessions()}
        self.tokens: dict[bytes, ApiToken] = {one.digest: one for one in self.store.tokens()}
        self.links: dict[bytes, Link] = {one.digest: one for one in self.store.links()}
        self._clock = now_unix_s

    def now_unix_s(self) -> int:
        """The time."""
        return int(self._clock())

    def find(self, name: str) -> User | None:
        """The user of a name, however it is written."""
        key = key_of(name)
        return next((one for one in self.users.values() if key_of(one.name) == key), None)

    def existing(self, name: str) -> User:
        """As `find`. Raises UnknownError where there is none."""
        user = self.find(name)
        if user is None:
            raise UnknownError(f"there is no user {name!r}")
        return user

    def owners(self) -> list[User]:
        """Those who may do everything."""
        return [one for one in self.users.values() if one.role == "owner"]

    def sessions_of(self, user_id: int) -> list[Session]:
        """A user's sessions that still hold."""
        return [one for one in self.sessions.values() if one.user_id == user_id and self.holds(one)]

    def holds(self, session: Session) -> bool:
        """Whether a session is neither too old nor was left for too long."""
        now_unix_s = self.now_unix_s()
        return (
            now_unix_s < session.created_unix_s + LONGEST_S
            and now_unix_s < session.used_unix_s + IDLE_S
        )

    def forget_user(self, user_id: int) -> None:
        """A user is gone from the file, with all that is theirs."""
        self.users.pop(user_id, None)
        self.forget_sessions([key for key, s in self.sessions.items() if s.user_id == user_id])
        for key in [key for key, link in self.links.items() if link.user_id == user_id]:
            del self.links[key]

    def forget_sessions(self, digests: list[bytes]) -> None:
        """Sessions are gone from the file."""
        for digest in digests:
            self.sessions.pop(digest, None)

    def check_name_is_free(self, name: str, user_id: int | None = None) -> None:
        """Raises InputError where another user has the name."""
        other = self.find(name)
        if other is not None and other.user_id != user_id:
            raise InputError([InputFault("name", "is another user's already", name)])


class UnknownError(Exception):
    """There is no such user or token; its text is the sentence for whoever asked."""


def digest_of(secret: str) -> bytes:
    """What is kept of a secret of 256 random bits. To find one by it tells nothing by the time that it takes."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def caller_of(user: User, session: Session) -> Caller:
    """A user as a caller."""
    return Caller(
        kind="session",
        name=user.name,
        role=user.role,
        scopes=scopes_of(user.role, backup=user.backup),
        cars=user.cars,
        key=session.digest,
        user_id=user.user_id,
        expires_unix_s=session.created_unix_s + LONGEST_S,
    )
