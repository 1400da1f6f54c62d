"""Scopes, the roles that hold them, and whoever calls the API with some of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal, get_args

Scope = Literal["read", "drive", "backup", "operate", "settings", "users"]
Role = Literal["owner", "driver", "guest", "installer"]
Kind = Literal["file", "service", "token", "session"]

SCOPES: Final[frozenset[Scope]] = frozenset(get_args(Scope))
_SCOPES_OF: Final[dict[Role, frozenset[Scope]]] = {
    "owner": SCOPES,
    "driver": frozenset({"read", "drive"}),
    "guest": frozenset({"read"}),
    "installer": frozenset({"read", "operate", "settings"}),
}
# What a scope lets one do, after "may not".
_WORDS: Final[dict[Scope, str]] = {
    "read": "look at this site",
    "drive": "say what a car shall do",
    "backup": "decide on the home's backup",
    "operate": "command chargers",
    "settings": "change settings",
    "users": "say who may do what",
}


class ForbiddenError(Exception):
    """Somebody who is known may not do this; its text is the sentence for them."""


def scopes_of(role: Role, *, backup: bool) -> frozenset[Scope]:
    """What a role may do. ``backup``: whether the owner lets this driver decide on the home's backup."""
    extra: frozenset[Scope] = frozenset({"backup"}) if backup and role == "driver" else frozenset()
    return _SCOPES_OF[role] | extra


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whoever calls. ``cars``: those that they may speak for, None: all. ``role``: of a user, else what else calls.

    ``key``: of the session or token, to end or find it; ``user_id``: None where no user calls. ``expires_unix_s``: None: never.
    """

    kind: Kind
    name: str
    role: str
    scopes: frozenset[Scope]
    cars: frozenset[str] | None = None
    key: bytes = b""
    user_id: int | None = None
    expires_unix_s: int | None = None

    @property
    def origin(self) -> str:
        """Who said it, for the journal. Nobody's name can pass for another source, whatever it is."""
        return {"session": f"by {self.name}", "token": f"by token {self.name}"}.get(
            self.kind, "api"
        )

    def check(self, scope: Scope, car_id: str | None = None) -> None:
        """Raises ForbiddenError where this may not be done, or not to this car."""
        if scope not in self.scopes:
            held = ", ".join(sorted(self.scopes)) or "nothing"
            raise ForbiddenError(
                f"{self.name} may not {_WORDS[scope]}: it needs the scope {scope}, and there is {held}"
            )
        if car_id is not None and self.cars is not None and car_id not in self.cars:
            raise ForbiddenError(f"{self.name} may not do this to {car_id!r}: it is another's car")

    def check_grants(self, scopes: Collection[Scope], cars: frozenset[str] | None) -> None:
        """Raises ForbiddenError where ``scopes`` or ``cars`` are more than this caller has."""
        if more := sorted(set(scopes) - self.scopes):
            raise ForbiddenError(
                f"{self.name} may not hand out or change the scope {', '.join(more)}: it is not theirs"
            )
        if self.cars is not None and (cars is None or not cars <= self.cars):
            raise ForbiddenError(f"{self.name} may not speak for all of these cars")
