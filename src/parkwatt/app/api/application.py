"""The REST API as a FastAPI application: routes, the token, and errors as they are told everywhere (field, rule, value).

`/health` is open, everything else needs `Authorization: Bearer <token>`. There is no page of documentation, because FastAPI's
would load scripts from elsewhere; `/openapi.json` describes all.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response

import parkwatt
from parkwatt.app.api import chargers, journal
from parkwatt.app.api.site import Site
from parkwatt.app.api.views import FaultsView, FaultView, HealthView
from parkwatt.app.metrics import Metrics
from parkwatt.domain.errors import InputError

_VALUE_CHARACTERS_MAX = 200


def create_application(site: Site, token: str, metrics: Metrics) -> FastAPI:
    """The application over a running site. ``token``: what a caller has to bring."""

    def authorised(authorization: Annotated[str | None, Header()] = None) -> None:
        scheme, _, given = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(
            given.strip().encode(), token.encode()
        ):
            raise HTTPException(
                401, "a token is needed: Authorization: Bearer …", {"WWW-Authenticate": "Bearer"}
            )

    application = FastAPI(
        title="Parkwatt",
        version=parkwatt.__version__,
        description="Chargers, their transactions, commands to them, and the journal.",
        docs_url=None,
        redoc_url=None,
    )
    application.state.site = site
    guarded = [Depends(authorised)]
    faults: dict[int | str, dict[str, Any]] = {
        422: {"model": FaultsView, "description": "The input breaks rules; nothing was changed"}
    }
    application.include_router(chargers.router, dependencies=guarded, responses=faults)
    application.include_router(journal.router, dependencies=guarded, responses=faults)

    @application.get("/health", tags=["operation"])
    def health() -> HealthView:
        """Whether all is well; answers 200 also in an alarm, as the process lives."""
        alarms = site.alarms()
        return HealthView(
            status="alarm" if alarms else "ok",
            alarms=alarms,
            chargers_connected=site.backend.connected_count,
            journal_seq=site.journal.last_seq,
            version=parkwatt.__version__,
        )

    @application.get("/metrics", tags=["operation"], dependencies=guarded)
    def prometheus() -> Response:
        """Figures for Prometheus."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    application.exception_handler(InputError)(_input_error)
    application.exception_handler(RequestValidationError)(_validation_error)
    application.middleware("http")(_plain)
    return application


async def _plain(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


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
    return _faults(
        [
            FaultView(
                field=".".join(str(part) for part in fault["loc"][1:]) or "the request",
                rule=str(fault["msg"]),
                value=str(fault.get("input"))[:_VALUE_CHARACTERS_MAX],
            )
            for fault in found
        ]
    )


def _faults(faults: list[FaultView]) -> JSONResponse:
    return JSONResponse(FaultsView(faults=faults).model_dump(), status_code=422)
