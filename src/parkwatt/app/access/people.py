"""The users of a site, and the one-time links by which they come in."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, replace
from typing import Final

import structlog

from parkwatt.app.access.names import checked_name
from parkwatt.app.access.passwords import check_password, hash_password
from parkwatt.app.access.records import Records, UnknownError, digest_of
from parkwatt.app.access.roles import Caller, ForbiddenError, Role, scopes_of
from parkwatt.app.access.store import Link, Session, User
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.record import Faults

_SECRET_BYTES: Final = 32
_USERS_MAX: Final = 200
_LINKS_MAX: Final = 10
_LAST_OWNER: Final = "must stay owner: there is no other"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChange:
    """What is to be another; None: stays. ``forget_password``: signs in by links alone from now on."""

    name: str | None = None
    role: Role | None = None
    cars: frozenset[str] | None = None
    backup: bool | None = None
    password: str | None = None
    forget_password: bool = False


class People:
    """The users of a site. ``by`` is whoever asks: nobody hands out, or takes, what is not theirs (ForbiddenError)."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def users(self) -> list[User]:
        """All, by name."""
        return sorted(self._records.users.values(), key=lambda one: one.name.casefold())

    def find(self, name: str) -> User | None:
        """One; None where there is none of that name."""
        return self._records.find(name)

    def user(self, name: str) -> User:
        """One. Raises UnknownError."""
        return self._records.existing(name)

    def of(self, caller: Caller) -> User | None:
        """The user who calls; None where a program does."""
        return None if caller.user_id is None else self._records.users.get(caller.user_id)

    def sessions(self, user: User) -> list[Session]:
        """Where they are signed in."""
        return self._records.sessions_of(user.user_id)

    async def add(self, by: Caller, name: str, wanted: UserChange) -> User:
        """A new user. Raises InputError, ForbiddenError."""
        faults = Faults()
        name = checked_name("name", name, faults)
        if wanted.role is None:
            faults.add("role", "must be given for a new user")
        if wanted.password is not None:
            check_password(wanted.password, name, faults)
        if len(self._records.users) >= _USERS_MAX:
            faults.add("name", f"is one too many: there are {_USERS_MAX} users")
        faults.raise_if_any()
        user = _tidy(
            User(
                user_id=0,
                name=name,
                role=wanted.role or "guest",
                cars=wanted.cars or frozenset(),
                backup=bool(wanted.backup),
                password_hash=None,
                created_unix_s=self._records.now_unix_s(),
            )
        )
        _check_reach(by, user)
        self._records.check_name_is_free(name)
        if wanted.password is not None:
            hashed = await asyncio.to_thread(hash_password, wanted.password)
            user = replace(user, password_hash=hashed)
        async with self._records.turn:
            self._records.check_name_is_free(name)
            number = await asyncio.to_thread(self._records.store.add_user, user)
            user = replace(user, user_id=number)
            self._records.users[number] = user
        structlog.get_logger().info("user added", user=name, role=user.role, by=by.name)
        return user

    async def change(self, by: Caller, name: str, wanted: UserChange) -> User:
        """Another name, role, cars or password. A new password ends the user's sessions but that of ``by``.

        Raises UnknownError, InputError, ForbiddenError.
        """
        _check_reach(by, self._records.existing(name))
        faults = Faults()
        new_name = None if wanted.name is None else checked_name("name", wanted.name, faults)
        if wanted.password is not None:
            check_password(wanted.password, new_name or name, faults)
        faults.raise_if_any()
        hashed = None
        if wanted.password is not None:
            hashed = await asyncio.to_thread(hash_password, wanted.password)
        async with self._records.turn:
            user = self._records.existing(name)
            _check_reach(by, user)
            changed = _tidy(
                replace(
                    user,
                    name=new_name or user.name,
                    role=wanted.role or user.role,
                    cars=user.cars if wanted.cars is None else wanted.cars,
                    backup=user.backup if wanted.backup is None else wanted.backup,
                    password_hash=None if wanted.forget_password else hashed or user.password_hash,
                )
            )
            _check_reach(by, changed)
            self._records.check_name_is_free(changed.name, user.user_id)
            if changed.role != "owner" and self._is_last_owner(user):
                raise InputError([InputFault("role", _LAST_OWNER, changed.role)])
            ended: list[bytes] = []
            if changed.password_hash != user.password_hash:
                ended = [one.digest for one in self.sessions(user) if one.digest != by.key]
            await asyncio.to_thread(self._records.store.change_user, changed, ended)
            self._records.users[user.user_id] = changed
            self._records.forget_sessions(ended)
        structlog.get_logger().info(
            "user changed", user=changed.name, role=changed.role, by=by.name
        )
        return changed

    async def remove(self, by: Caller, name: str) -> User:
        """Take a user away: their sessions and links end at once. Raises UnknownError, InputError, ForbiddenError."""
        async with self._records.turn:
            user = self._records.existing(name)
            _check_reach(by, user)
            if self._is_last_owner(user):
                raise InputError([InputFault("name", "must stay: there is no other owner", name)])
            await asyncio.to_thread(self._records.store.remove_user, user.user_id)
            self._records.forget_user(user.user_id)
        structlog.get_logger().info("user removed", user=user.name, by=by.name)
        return user

    async def sign_out(self, by: Caller, name: str) -> User:
        """End all sessions of a user, as after a lost phone. Raises UnknownError, ForbiddenError."""
        async with self._records.turn:
            user = self._records.existing(name)
            _check_reach(by, user)
            ended = [one.digest for one in self.sessions(user)]
            await asyncio.to_thread(self._records.store.end_sessions, ended)
            self._records.forget_sessions(ended)
        return user

    async def link(self, by: Caller, name: str, hold_s: int) -> tuple[str, Link]:
        """A link by which a user signs in once within ``hold_s``: its code, shown this once.

        Raises UnknownError, InputError, ForbiddenError.
        """
        async with self._records.turn:
            user = self._records.existing(name)
            _check_reach(by, user)
            now_unix_s = self._records.now_unix_s()
            theirs = [one for one in self._records.links.values() if one.user_id == user.user_id]
            if sum(now_unix_s < one.expires_unix_s for one in theirs) >= _LINKS_MAX:
                rule = f"has {_LINKS_MAX} links already that were not used yet"
                raise InputError([InputFault("name", rule, name)])
            code = secrets.token_urlsafe(_SECRET_BYTES)
            link = Link(digest_of(code), user.user_id, now_unix_s + hold_s)
            await asyncio.to_thread(self._records.store.add_link, link)
            self._records.links[link.digest] = link
        structlog.get_logger().info("sign-in link made", user=user.name, by=by.name)
        return code, link

    def first_owner(self) -> User:
        """The owner who was there first. Raises UnknownError where there is none yet."""
        owners = self._records.owners()
        if not owners:
            raise UnknownError("there is no owner yet")
        return min(owners, key=lambda one: one.user_id)

    def _is_last_owner(self, user: User) -> bool:
        return user.role == "owner" and len(self._records.owners()) == 1


def _tidy(user: User) -> User:
    """Cars and backup go with the role: an owner has all, a guest and an installer none of their own."""
    if user.role == "owner":
        return replace(user, cars=None, backup=False)
    if user.role == "driver":
        return replace(user, cars=user.cars or frozenset())
    return replace(user, cars=frozenset(), backup=False)


def _check_reach(by: Caller, user: User) -> None:
    """Raises ForbiddenError where ``user`` may more than ``by`` does: who could change them could become them."""
    try:
        by.check_grants(scopes_of(user.role, backup=user.backup), user.cars)
    except ForbiddenError as error:
        raise ForbiddenError(f"{error} (it would be {user.name}'s)") from error
