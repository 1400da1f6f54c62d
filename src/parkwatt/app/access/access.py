"""The door of the API: tells who calls, signs people in and out, and keeps what it needs for that.

A secret (session, API token, sign-in link) holds 256 random bits and is kept as its SHA-256. It is always made here, never
taken from whoever signs in, so that no session can be fixed beforehand; one that was there before ends with a new sign-in.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, NoReturn

import structlog

from parkwatt.app.access.names import checked_name, key_of
from parkwatt.app.access.passwords import PASSWORD_CHARACTERS_MAX, is_password
from parkwatt.app.access.people import People
from parkwatt.app.access.programs import Programs
from parkwatt.app.access.records import Records, caller_of, digest_of
from parkwatt.app.access.roles import SCOPES, Caller, Scope
from parkwatt.app.access.store import Session, User
from parkwatt.app.access.throttle import Throttle
from parkwatt.domain.record import Faults

_SECRET_BYTES: Final = 32
_OWNER_LINK_S: Final = 86_400
_FIRST_OWNER: Final = "Owner"
_SESSIONS_MAX: Final = 30
_NOTED_EVERY_S: Final = 60.0


class SignInRefusedError(Exception):
    """Name, password or link are not right. ``wait_s``: too many tries, come back then; 0: just wrong."""

    def __init__(self, wait_s: int = 0) -> None:
        self.wait_s = wait_s
        super().__init__(
            f"too many tries: wait {wait_s} s"
            if wait_s
            else "that is not right: a wrong name or password, or a link that was used or ran out"
        )


class Access:
    """Who may do what. ``file_token``: the one in the file `api-token`, which may everything.

    Everything here belongs to one event loop. ``people``: users and their links, ``programs``: API tokens.
    """

    def __init__(
        self, path: Path, file_token: str, now_unix_s: Callable[[], float] = time.time
    ) -> None:
        """Open the file at ``path``, or make it. Raises InputError where it cannot be used."""
        self._records = Records(path, now_unix_s)
        self.people = People(self._records)
        self.programs = Programs(self._records)
        self._standing = {
            digest_of(file_token): Caller(
                kind="file", name="the file api-token", role="owner", scopes=SCOPES
            )
        }
        self._passwords, self._links = Throttle(), Throttle()
        self._hashing = asyncio.Lock()
        self._owner_code: str | None = None
        self._owner_code_until_unix_s = 0
        self._noted_unix_s = self._records.now_unix_s()

    def service_token(self, scopes: Collection[Scope]) -> str:
        """A token for a part of Parkwatt itself; it is kept nowhere and ends with the process."""
        token = secrets.token_urlsafe(_SECRET_BYTES)
        self._standing[digest_of(token)] = Caller(
            kind="service", name="Parkwatt's pages", role="service", scopes=frozenset(scopes)
        )
        return token

    def caller(self, token: str) -> Caller | None:
        """Whose token this is; None: nobody's, or it holds no longer."""
        digest = digest_of(token)
        if (standing := self._standing.get(digest)) is not None:
            return standing
        session = self._records.sessions.get(digest)
        if session is not None:
            user = self._records.users.get(session.user_id)
            if user is None or not self._records.holds(session):
                return None
            used = replace(session, used_unix_s=self._records.now_unix_s())
            self._records.sessions[digest] = used
            return caller_of(user, used)
        return self.programs.caller(digest)

    def owner_link(self) -> str | None:
        """The code of the one-time link that makes the first owner; None once there is a user. It holds for a day."""
        if self._records.users:
            return None
        now_unix_s = self._records.now_unix_s()
        if self._owner_code is None or now_unix_s >= self._owner_code_until_unix_s:
            self._owner_code = secrets.token_urlsafe(_SECRET_BYTES)
            self._owner_code_until_unix_s = now_unix_s + _OWNER_LINK_S
        return self._owner_code

    @property
    def owner_link_until_unix_s(self) -> int:
        """When the code that `owner_link` gave runs out."""
        return self._owner_code_until_unix_s

    async def sign_in_by_link(
        self, code: str, name: str | None = None, before: Caller | None = None
    ) -> tuple[str, Caller]:
        """Use up a link: the token of a new session, and who it is. ``name``: that the first owner wants.

        ``before``: whoever called until now; their session ends. Raises SignInRefusedError, InputError for the name.
        """
        now_unix_s = self._records.now_unix_s()
        async with self._records.turn:
            digest = digest_of(code)
            link = self._records.links.get(digest)
            if link is not None and now_unix_s < link.expires_unix_s:
                user = self._records.users[link.user_id]
                token, session = await self._begin(user, before, digest)
            elif (owner_code := self._live_owner_code()) and secrets.compare_digest(
                digest, digest_of(owner_code)
            ):
                user, token, session = await self._first_owner(name or _FIRST_OWNER)
            else:
                wait_s = self._links.attempt(code, now_unix_s)  # a right one is never held up
                if not wait_s:  # what is not even counted fills no log
                    structlog.get_logger().warning("sign-in refused", by="link")
                raise SignInRefusedError(wait_s)
        structlog.get_logger().info("signed in", user=user.name, by="link")
        return token, caller_of(user, session)

    async def sign_in_by_password(
        self, name: str, password: str, before: Caller | None = None
    ) -> tuple[str, Caller]:
        """The token of a new session, and who it is. As `sign_in_by_link`.

        An unknown name, one without a password and a wrong password are one answer, after the same time.
        """
        account = key_of(name)
        if wait_s := self._passwords.attempt(account, self._records.now_unix_s()):
            raise SignInRefusedError(wait_s)
        user = self._records.find(name)
        stored = None if user is None else user.password_hash
        right = await self._is_password(stored, password)
        async with self._records.turn:
            user = self._records.find(name)  # as it is by now
            if not right or user is None or user.password_hash != stored:
                structlog.get_logger().warning("sign-in refused", user=name[:64])
                raise SignInRefusedError
            token, session = await self._begin(user, before)
        self._passwords.succeeded(account)
        structlog.get_logger().info("signed in", user=user.name, by="password")
        return token, caller_of(user, session)

    async def check_password(self, user: User, given: str) -> None:
        """Raises SignInRefusedError where this is not the user's password, or was tried too often."""
        account = key_of(user.name)
        if wait_s := self._passwords.attempt(account, self._records.now_unix_s()):
            raise SignInRefusedError(wait_s)
        if not await self._is_password(user.password_hash, given):
            raise SignInRefusedError
        self._passwords.succeeded(account)

    async def sign_out(self, caller: Caller, *, everywhere: bool = False) -> None:
        """End a session, or all of its user. Other tokens are not ended by their use: nothing happens."""
        if caller.kind != "session" or caller.user_id is None:
            return
        async with self._records.turn:
            ended = [caller.key]
            if everywhere:
                ended += [one.digest for one in self._records.sessions_of(caller.user_id)]
            await asyncio.to_thread(self._records.store.end_sessions, ended)
            self._records.forget_sessions(ended)

    async def keep(self) -> NoReturn:
        """Again and again: write down when sessions and tokens were used, and let go of what ran out."""
        while True:
            await asyncio.sleep(_NOTED_EVERY_S)
            try:
                await self.note()
            except Exception as error:  # noqa: BLE001 a full disk must not end the server; the next round tries again
                structlog.get_logger().error("use of sessions not noted", reason=str(error))

    async def note(self) -> None:
        """One round of `keep`."""
        records = self._records
        async with records.turn:
            began_unix_s = records.now_unix_s()
            over = [key for key, one in records.sessions.items() if not records.holds(one)]
            links = [k for k, one in records.links.items() if began_unix_s >= one.expires_unix_s]
            sessions = [one for one in records.sessions.values() if self._is_new(one.used_unix_s)]
            tokens = [one for one in records.tokens.values() if self._is_new(one.used_unix_s)]
            if not (over or links or sessions or tokens):
                return
            await asyncio.to_thread(records.store.note_use, sessions, tokens, links)
            await asyncio.to_thread(records.store.end_sessions, over)
            records.forget_sessions(over)
            for link in links:
                records.links.pop(link, None)
            self._noted_unix_s = began_unix_s

    def close(self) -> None:
        """Close the file."""
        self._records.store.close()

    def __enter__(self) -> Access:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def _is_password(self, stored: str | None, given: str) -> bool:
        async with self._hashing:  # one at a time: many at once would take the machine's memory
            return await asyncio.to_thread(
                is_password, stored, given[: PASSWORD_CHARACTERS_MAX + 1]
            )

    def _is_new(self, used_unix_s: int | None) -> bool:
        return used_unix_s is not None and used_unix_s >= self._noted_unix_s

    def _live_owner_code(self) -> str | None:
        """The owner's code where one was made that still holds."""
        if self._records.users or self._records.now_unix_s() >= self._owner_code_until_unix_s:
            return None
        return self._owner_code

    async def _first_owner(self, name: str) -> tuple[User, str, Session]:
        faults = Faults()
        name = checked_name("name", name, faults)
        faults.raise_if_any()
        now_unix_s = self._records.now_unix_s()
        user = User(
            user_id=0,
            name=name,
            role="owner",
            cars=None,
            backup=False,
            password_hash=None,
            created_unix_s=now_unix_s,
        )
        token = secrets.token_urlsafe(_SECRET_BYTES)
        session = Session(digest_of(token), 0, now_unix_s, now_unix_s)
        number = await asyncio.to_thread(self._records.store.add_user, user, session)
        user, session = replace(user, user_id=number), replace(session, user_id=number)
        self._records.users[number] = user
        self._records.sessions[session.digest] = session
        self._owner_code = None
        return user, token, session

    async def _begin(
        self, user: User, before: Caller | None, link: bytes | None = None
    ) -> tuple[str, Session]:
        """A new session; the one before ends, and the oldest where there are too many."""
        token, now_unix_s = secrets.token_urlsafe(_SECRET_BYTES), self._records.now_unix_s()
        session = Session(digest_of(token), user.user_id, now_unix_s, now_unix_s)
        theirs = [one for one in self._records.sessions.values() if one.user_id == user.user_id]
        theirs.sort(key=lambda one: one.used_unix_s, reverse=True)
        ended = [one.digest for one in theirs[_SESSIONS_MAX - 1 :]]
        if before is not None and before.kind == "session":
            ended.append(before.key)
        await asyncio.to_thread(self._records.store.add_session, session, ended, link)
        self._records.forget_sessions(ended)
        self._records.sessions[session.digest] = session
        if link is not None:
            self._records.links.pop(link, None)
        return token, session
