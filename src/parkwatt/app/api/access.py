"""Routes of sign-in: sessions, users, API tokens, one-time links. A secret is shown once, by the route that makes it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Path

from parkwatt.app.access.access import Access, SignInRefusedError
from parkwatt.app.access.people import UserChange
from parkwatt.app.access.roles import SCOPES, Caller, Role
from parkwatt.app.access.store import User
from parkwatt.app.api.access_views import (
    MadeLinkView,
    MadeTokenView,
    NewLink,
    NewToken,
    NewUser,
    PasswordChange,
    SessionView,
    SignIn,
    TokenView,
    UserPatch,
    UserView,
    WhoView,
    token_view,
    user_view,
    who_view,
)
from parkwatt.app.api.callers import AccessGiven, CallerGiven, known_caller, needs
from parkwatt.app.api.chargers import SiteGiven
from parkwatt.app.api.site import Site
from parkwatt.app.api.views import DetailView, FaultsView, moment
from parkwatt.domain.errors import InputError, InputFault

open_router = APIRouter(prefix="/v1", tags=["sign-in"])
router = APIRouter(prefix="/v1", tags=["sign-in"])

_US: Final = 1_000_000
_HOUR_S: Final = 3600
_REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": DetailView, "description": "Name, password or link are wrong"},
    413: {"model": DetailView, "description": "The body is too large"},
    422: {"model": FaultsView, "description": "The input breaks rules; nothing was changed"},
    429: {"model": DetailView, "description": "Tried too often: Retry-After tells the seconds"},
    503: {"model": DetailView, "description": "The users cannot be read or written"},
}
_UNKNOWN: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": DetailView, "description": "There is no such user or token"}
}
TokenId = Annotated[int, Path(ge=1, le=2**53)]
_NO_PERSON: Final = "only a person who is signed in has a password"


@open_router.post("/sessions", status_code=201, responses=_REFUSED)
async def sign_in(
    access: AccessGiven, asked: SignIn, before: Annotated[Caller | None, Depends(known_caller)]
) -> SessionView:
    """Sign in, by a one-time link or by name and password. The token is new; a session that calls ends with it."""
    try:
        if asked.link is not None and asked.password is None:
            token, caller = await access.sign_in_by_link(asked.link, asked.name, before)
        elif asked.link is None and asked.name is not None and asked.password is not None:
            token, caller = await access.sign_in_by_password(asked.name, asked.password, before)
        else:
            raise InputError([InputFault("link", "must be given, or a name and its password")])
    except SignInRefusedError as error:
        raise _refused(error) from error
    return SessionView(token=token, **who_view(access, caller).model_dump())


@router.get("/session", dependencies=[needs(None)])
async def show_session(access: AccessGiven, caller: CallerGiven) -> WhoView:
    """Who calls, and what they may."""
    return who_view(access, caller)


@router.delete("/session", dependencies=[needs(None)])
async def sign_out(access: AccessGiven, caller: CallerGiven, everywhere: bool = False) -> WhoView:
    """Sign out. ``everywhere``: on all of one's devices. The token of a program stays as it is."""
    shown = who_view(access, caller)
    await access.sign_out(caller, everywhere=everywhere)
    return shown


@router.put("/session/password", dependencies=[needs(None)], responses=_REFUSED)
async def change_password(
    access: AccessGiven, caller: CallerGiven, wish: PasswordChange
) -> WhoView:
    """Choose one's own password. All other sessions of the user end."""
    user = access.people.of(caller)
    if user is None:
        raise HTTPException(403, _NO_PERSON)
    if user.password_hash is not None:
        try:
            await access.check_password(user, wish.current or "")
        except SignInRefusedError as error:
            raise _refused(error) from error
    change = UserChange(password=wish.password, forget_password=wish.password is None)
    await access.people.change(caller, user.name, change)
    return who_view(access, caller)


@router.get("/users", dependencies=[needs("users")])
async def list_users(access: AccessGiven) -> list[UserView]:
    """All users, by name."""
    return [user_view(access, user) for user in access.people.users()]


@router.post("/users", status_code=201, dependencies=[needs("users")])
async def add_user(
    access: AccessGiven, site: SiteGiven, caller: CallerGiven, wish: NewUser
) -> UserView:
    """Make a user. Without a password they come in by a link (`POST /v1/links`)."""
    _check_cars(site, wish.cars)
    return user_view(access, await access.people.add(caller, wish.name, wish.wanted()))


@router.patch("/users/{name}", dependencies=[needs("users")], responses=_UNKNOWN)
async def change_user(
    access: AccessGiven, site: SiteGiven, caller: CallerGiven, name: str, wish: UserPatch
) -> UserView:
    """Change a user: it holds at once, for open sessions too. A new password ends them."""
    _check_cars(site, wish.cars or ())
    return user_view(access, await access.people.change(caller, name, wish.wanted()))


@router.delete("/users/{name}", dependencies=[needs("users")], responses=_UNKNOWN)
async def remove_user(access: AccessGiven, caller: CallerGiven, name: str) -> UserView:
    """Remove a user: their sessions and links end at once."""
    return user_view(access, await access.people.remove(caller, name))


@router.delete("/users/{name}/sessions", dependencies=[needs("users")], responses=_UNKNOWN)
async def end_sessions(access: AccessGiven, caller: CallerGiven, name: str) -> UserView:
    """Sign a user out on all devices, as after a lost phone."""
    return user_view(access, await access.people.sign_out(caller, name))


@router.get("/tokens", dependencies=[needs("users")])
async def list_tokens(access: AccessGiven) -> list[TokenView]:
    """All API tokens, oldest first."""
    return [token_view(token) for token in access.programs.tokens()]


@router.post("/tokens", status_code=201, dependencies=[needs("users")])
async def add_token(
    access: AccessGiven, site: SiteGiven, caller: CallerGiven, wish: NewToken
) -> MadeTokenView:
    """Make a token for a program, with some of one's own scopes."""
    _check_cars(site, wish.cars or ())
    cars = None if wish.cars is None else frozenset(wish.cars)
    secret, token = await access.programs.add(caller, wish.label, wish.scopes, cars)
    return MadeTokenView(token=secret, **token_view(token).model_dump())


@router.delete("/tokens/{token_id}", dependencies=[needs("users")], responses=_UNKNOWN)
async def remove_token(access: AccessGiven, caller: CallerGiven, token_id: TokenId) -> TokenView:
    """Take a token away: it is refused at once."""
    return token_view(await access.programs.remove(caller, token_id))


@router.post("/links", status_code=201, dependencies=[needs("users")], responses=_UNKNOWN)
async def make_link(
    access: AccessGiven, site: SiteGiven, caller: CallerGiven, wish: NewLink
) -> MadeLinkView:
    """Make a link that signs one person in, once. On a site without users: the one that makes its owner."""
    _check_cars(site, wish.cars)
    first = access.owner_link() if wish.name is None else None
    if first is not None:
        caller.check_grants(SCOPES, None)
        return _made_link(None, "owner", first, access.owner_link_until_unix_s)
    user = await _link_user(access, caller, wish)
    code, link = await access.people.link(caller, user.name, wish.hours * _HOUR_S)
    return _made_link(user.name, user.role, code, link.expires_unix_s)


async def _link_user(access: Access, caller: Caller, wish: NewLink) -> User:
    """For whom the link is; made where there is no such user and a role is given."""
    if wish.name is None:
        return access.people.first_owner()
    if wish.role is not None and access.people.find(wish.name) is None:
        wanted = UserChange(role=wish.role, cars=frozenset(wish.cars), backup=wish.backup)
        return await access.people.add(caller, wish.name, wanted)
    user = access.people.user(wish.name)
    if wish.role not in (None, user.role):
        raise InputError([InputFault("role", f"must be {user.role}, what they are", wish.role)])
    return user


def _made_link(name: str | None, role: Role, code: str, until_unix_s: int) -> MadeLinkView:
    return MadeLinkView(
        name=name,
        role=role,
        code=code,
        path=f"/welcome?link={code}",
        expires_at=moment(until_unix_s * _US),
    )


def _check_cars(site: Site, cars: Collection[str]) -> None:
    """Raises InputError for a car that the site does not have; a back end without control knows none."""
    known = None if site.live is None else site.live.snapshot().settings
    unknown = [car_id for car_id in cars if known is None or known.car(car_id) is None]
    if unknown:
        raise InputError(
            [InputFault("cars", "must name cars of this site", car_id) for car_id in unknown]
        )


def _refused(error: SignInRefusedError) -> HTTPException:
    headers = {"Retry-After": str(error.wait_s)} if error.wait_s else None
    return HTTPException(429 if error.wait_s else 401, str(error), headers)
