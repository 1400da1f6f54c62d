"""The REST API as a FastAPI application: routes, who may call them, and errors told alike everywhere (field, rule, value).

`/health` and the sign-in are open, everything else needs `Authorization: Bearer <token>`. There is no page of documentation,
because FastAPI's would load scripts from elsewhere; `/openapi.json` describes all.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response

import parkwatt
from parkwatt.app.access.access import Access
from parkwatt.app.access.records import UnknownError
from parkwatt.app.access.roles import ForbiddenError
from parkwatt.app.api import (
    access as sign_in,
)
from parkwatt.app.api import (
    backup,
    chargers,
    credentials,
    journal,
    money,
    plans,
    pool,
    report,
    settings,
    site_routes,
    stream,
    what_if,
    wishes,
)
from parkwatt.app.api.bounds import Bounds
from parkwatt.app.api.callers import unless_said
from parkwatt.app.api.past import routes as past
from parkwatt.app.api.past.routes import Folds
from parkwatt.app.api.report import Books
from parkwatt.app.api.site import Site
from parkwatt.app.api.stream import Streams
from parkwatt.app.api.views import DetailView, FaultsView, FaultView, HealthView
from parkwatt.app.api.what_if import Planner
from parkwatt.app.metrics import Metrics
from parkwatt.domain.errors import InputError, ParkwattError

_PARTS = (
    sign_in,
    site_routes,
    plans,
    wishes,
    what_if,
    backup,
    report,
    money,
    stream,
    chargers,
    credentials,
    journal,
    settings,
    past,
    pool,
)
_VALUE_CHARACTERS_MAX = 200
# Fields that no answer shows again.
_SECRETS = frozenset({"password", "current", "link"})
ANSWERS: dict[int | str, dict[str, Any]] = {
    401: {"model": DetailView, "description": "The token is missing or wrong"},
    403: {"model": DetailView, "description": "Whoever calls may not do this"},
    413: {"model": DetailView, "description": "The body is too large"},
    422: {"model": FaultsView, "description": "The input breaks rules; nothing was changed"},
    503: {"model": DetailView, "description": "The journal cannot be used"},
}


def create_application(site: Site, access: Access, metrics: Metrics) -> FastAPI:
    """The application over a running site. ``access``: tells who calls and what they may."""
    application = FastAPI(
        title="Parkwatt",
        version=parkwatt.__version__,
        description="The site, its cars and what their drivers wish; chargers, their transactions, and the journal.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # it would lead to whatever host the request names
    )
    application.state.site = site
    application.state.access = access
    application.state.streams = Streams()
    application.state.books = Books()
    application.state.folds = Folds()
    application.state.planner = Planner()
    guarded = [Depends(unless_said)]
    application.include_router(sign_in.open_router)
    for part in _PARTS:
        application.include_router(part.router, dependencies=guarded, responses=ANSWERS)

    @application.get("/health", tags=["operation"])
    async def health() -> HealthView:
        """Whether all is well. An alarm is answered with 200, too: the process lives, and a restart would not help."""
        alarms = site.alarms()
        return HealthView(
            status="alarm" if alarms else "ok",
            alarms=alarms,
            chargers_connected=site.backend.connected_count,
            journal_seq=site.journal.last_seq,
            version=parkwatt.__version__,
        )

    @application.get(
        "/metrics",
        tags=["operation"],
        dependencies=guarded,
        response_class=Response,
        responses={
            200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
            401: ANSWERS[401],
        },
    )
    async def prometheus() -> Response:
        """Figures for Prometheus."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    add_answers(application)
    return application


def add_answers(application: FastAPI) -> None:
    """How every application of the API answers what it will not do, and the bounds before it."""
    application.exception_handler(InputError)(_input_error)
    application.exception_handler(ForbiddenError)(_forbidden)
    application.exception_handler(UnknownError)(_unknown)
    application.exception_handler(RequestValidationError)(_validation_error)
    for unusable in (ParkwattError, sqlite3.Error, OSError):
        application.exception_handler(unusable)(_unavailable)
    application.exception_handler(Exception)(_bug)
    application.add_middleware(Bounds)


class _Told(JSONResponse):
    """Words that repeat what somebody gave, which may hold half a character (a lone surrogate): written as ASCII."""

    def render(self, content: Any) -> bytes:
        """As bytes; Starlette's own name."""
        return json.dumps(content).encode()


async def _input_error(_: Request, error: Exception) -> JSONResponse:
    faults = error.faults if isinstance(error, InputError) else ()
    return _faults(
        [
            FaultView(
                field=fault.field,
                rule=fault.rule,
                value=None if fault.value is None else str(fault.value)[:_VALUE_CHARACTERS_MAX],
            )
            for fault in faults
        ]
    )


async def _validation_error(_: Request, error: Exception) -> JSONResponse:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    return _faults([_fault_view(fault) for fault in found])


def _fault_view(fault: dict[str, Any]) -> FaultView:
    if fault["type"] == "json_invalid":
        return FaultView(field="body", rule="must be JSON", value=None)
    field = ".".join(str(part) for part in fault["loc"][1:]) or "body"
    return FaultView(field=field, rule=str(fault["msg"]), value=_shown(fault))


def _shown(fault: dict[str, Any]) -> str | None:
    """What was given, where it is one plain value and no secret."""
    given = fault.get("input")
    if fault["type"] == "missing" or fault["loc"][-1] in _SECRETS:
        return None
    if not isinstance(given, str | int | float):
        return None
    return str(given)[:_VALUE_CHARACTERS_MAX]


async def _forbidden(_: Request, error: Exception) -> JSONResponse:
    return _Told({"detail": str(error)}, status_code=403)


async def _unknown(_: Request, error: Exception) -> JSONResponse:
    return _Told({"detail": str(error)}, status_code=404)


async def _unavailable(_: Request, error: Exception) -> JSONResponse:
    return _Told({"detail": str(error)}, status_code=503)


async def _bug(_: Request, error: Exception) -> JSONResponse:
    told = f"a bug, sorry: {type(error).__name__}; the log says where"
    return _Told({"detail": told}, status_code=500)


def _faults(faults: list[FaultView]) -> JSONResponse:
    return _Told(FaultsView(faults=faults).model_dump(), status_code=422)
