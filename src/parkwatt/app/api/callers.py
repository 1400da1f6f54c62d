"""Who calls, and whether they may: the dependencies by which every route says what it needs.

```python
@router.put("/cars/{car_id}/wishes", dependencies=[needs("drive")])
async def change_wishes(caller: CallerGiven, …) -> CarView: …
```

A route whose path names a `car_id` and needs more than `read` is for those who speak for that car. Where a car comes in the
body the route asks itself: `caller.check("drive", car_id)`. A GET that says nothing needs `read`; any other route that says
nothing needs every scope there is, so that one that was forgotten is closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

from fastapi import Depends, HTTPException, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from parkwatt.app.access.access import Access
from parkwatt.app.access.roles import SCOPES, Caller, Scope

_NEEDS_TOKEN: Final = HTTPException(
    401, "a token is needed: Authorization: Bearer …", {"WWW-Authenticate": "Bearer"}
)
_BEARER: Final = HTTPBearer(
    auto_error=False,
    description="A session (`POST /v1/sessions`), an API token, or the token in the site's file `api-token`.",
)
_SAFE: Final = frozenset({"GET", "HEAD"})
_MARK: Final = "needed_scope"

BearerGiven = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


def access_of(request: Request) -> Access:
    """The door of the application."""
    access = request.app.state.access
    assert isinstance(access, Access)  # noqa: S101 set by create_application
    return access


AccessGiven = Annotated[Access, Depends(access_of)]


def known_caller(access: AccessGiven, given: BearerGiven) -> Caller | None:
    """Whoever calls; None where that is nobody who is known."""
    return None if given is None else access.caller(given.credentials)


def signed_in(caller: Annotated[Caller | None, Depends(known_caller)]) -> Caller:
    """Whoever calls. Raises HTTPException (401) where that is nobody who is known."""
    if caller is None:
        raise _NEEDS_TOKEN
    return caller


CallerGiven = Annotated[Caller, Depends(signed_in)]


def origin_of(caller: CallerGiven) -> str:
    """Who says it, for the journal."""
    return caller.origin


OriginGiven = Annotated[str, Depends(origin_of)]


def needs(scope: Scope | None) -> Any:
    """For ``dependencies=[needs("drive")]``: the route is for callers with ``scope``, and of the car that its path names.

    None: for everybody who is known.
    """

    def check(request: Request, caller: CallerGiven) -> None:
        if scope is not None:
            caller.check(scope, None if scope == "read" else request.path_params.get("car_id"))

    setattr(check, _MARK, scope)
    return Depends(check)


def unless_said(request: Request, caller: CallerGiven) -> None:
    """What a route needs that says nothing itself. Every route of the application has it."""
    route = request.scope["route"]
    if isinstance(route, APIRoute) and says_what_it_needs(route):
        return
    if request.method in _SAFE:
        caller.check("read")
        return
    for scope in sorted(SCOPES):
        caller.check(scope)


def says_what_it_needs(route: APIRoute) -> bool:
    """Whether a route says itself which scope it needs."""
    return any(hasattr(call, _MARK) for call in _calls(route.dependant))


def _calls(dependant: Dependant) -> Iterator[object]:
    for one in dependant.dependencies:
        yield one.call
        yield from _calls(one)
