"""What the routes of sign-in, users, tokens and links take and show."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from parkwatt.app.access.access import Access
from parkwatt.app.access.people import UserChange
from parkwatt.app.access.roles import Caller, Role, Scope
from parkwatt.app.access.store import ApiToken, User
from parkwatt.app.api.views import moment

_US: Final = 1_000_000
_TEXT_MAX: Final = 256
_CARS_MAX: Final = 100

Text = Annotated[str, Field(max_length=_TEXT_MAX)]
Cars = Annotated[list[Text], Field(max_length=_CARS_MAX)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignIn(_Asked):
    """A one-time link's code, or a name and its password. ``name`` with the link of a new site: what its owner is called."""

    link: Text | None = None
    name: Text | None = None
    password: Text | None = None


class PasswordChange(_Asked):
    """One's own password. null: none, sign in by links alone. ``current``: the one that holds, where there is one."""

    password: Text | None
    current: Text | None = None


class NewUser(_Asked):
    """A user. ``cars``: of a driver; ``backup``: whether a driver decides on the home's backup."""

    name: Text
    role: Role
    cars: Cars = []
    backup: bool = False
    password: Text | None = None

    def wanted(self) -> UserChange:
        """As the store takes it."""
        return UserChange(
            role=self.role, cars=frozenset(self.cars), backup=self.backup, password=self.password
        )


class UserPatch(_Asked):
    """What is to be another; what is left out stays. A password of null takes it away."""

    name: Text | None = None
    role: Role | None = None
    cars: Cars | None = None
    backup: bool | None = None
    password: Text | None = None

    def wanted(self) -> UserChange:
        """As the store takes it."""
        return UserChange(
            name=self.name,
            role=self.role,
            cars=None if self.cars is None else frozenset(self.cars),
            backup=self.backup,
            password=self.password,
            forget_password="password" in self.model_fields_set and self.password is None,
        )


class NewToken(_Asked):
    """An API token. ``cars``: those that it speaks for, null: all."""

    label: Text
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=20)]
    cars: Cars | None = None


class NewLink(_Asked):
    """For whom a sign-in link is. Without a name: the owner. With a role: a new user of that name, if there is none."""

    name: Text | None = None
    role: Role | None = None
    cars: Cars = []
    backup: bool = False
    hours: int = Field(24, ge=1, le=168)


class WhoView(BaseModel):
    """Whoever calls. ``role``: owner, driver, guest or installer of a person; token or service of a program.

    ``cars``: those that they speak for; null: all. ``expires_at``: the latest end; a session that nobody uses for 30 days
    ends earlier.
    """

    name: str
    role: str
    scopes: list[Scope]
    cars: list[str] | None
    expires_at: datetime | None
    has_password: bool


class SessionView(WhoView):
    """A new session. ``token`` is shown this once."""

    token: str


class UserView(BaseModel):
    """A user. ``seen_at``: when one of their sessions was last used."""

    name: str
    role: Role
    cars: list[str] | None
    backup: bool
    has_password: bool
    created_at: datetime
    seen_at: datetime | None
    sessions_count: int


class TokenView(BaseModel):
    """An API token, without the token itself."""

    id: int
    label: str
    scopes: list[Scope]
    cars: list[str] | None
    created_at: datetime
    used_at: datetime | None


class MadeTokenView(TokenView):
    """A new API token. ``token`` is shown this once."""

    token: str


class MadeLinkView(BaseModel):
    """A new sign-in link. ``code`` is shown this once; ``path``: below the address of the pages."""

    name: str | None
    role: Role
    code: str
    path: str
    expires_at: datetime


def who_view(access: Access, caller: Caller) -> WhoView:
    """A caller."""
    user = access.people.of(caller)
    expires = caller.expires_unix_s
    return WhoView(
        name=caller.name,
        role=caller.role,
        scopes=sorted(caller.scopes),
        cars=_cars(caller.cars),
        expires_at=None if expires is None else moment(expires * _US),
        has_password=user is not None and user.password_hash is not None,
    )


def user_view(access: Access, user: User) -> UserView:
    """A user."""
    sessions = access.people.sessions(user)
    seen_unix_s = max((one.used_unix_s for one in sessions), default=None)
    return UserView(
        name=user.name,
        role=user.role,
        cars=_cars(user.cars),
        backup=user.backup or user.role == "owner",
        has_password=user.password_hash is not None,
        created_at=moment(user.created_unix_s * _US),
        seen_at=None if seen_unix_s is None else moment(seen_unix_s * _US),
        sessions_count=len(sessions),
    )


def token_view(token: ApiToken) -> TokenView:
    """An API token."""
    used = token.used_unix_s
    return TokenView(
        id=token.token_id,
        label=token.label,
        scopes=sorted(token.scopes),
        cars=_cars(token.cars),
        created_at=moment(token.created_unix_s * _US),
        used_at=None if used is None else moment(used * _US),
    )


def _cars(cars: frozenset[str] | None) -> list[str] | None:
    return None if cars is None else sorted(cars)
