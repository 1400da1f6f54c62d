"""The API while a site is set up: signing in, and the routes of the set-up. The rest is there once the site is."""

from __future__ import annotations

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute

import parkwatt
from parkwatt.app.access.access import Access
from parkwatt.app.api import access as sign_in
from parkwatt.app.api import setup
from parkwatt.app.api.application import ANSWERS, add_answers
from parkwatt.app.api.callers import unless_said
from parkwatt.app.api.stream import Streams
from parkwatt.app.set_up.set_up import SetUp


def create_setup_application(set_up: SetUp, access: Access) -> FastAPI:
    """The application over a set-up. ``access``: tells who calls and what they may."""
    application = FastAPI(
        title="Parkwatt",
        version=parkwatt.__version__,
        description="The first start of a site: from nothing to its file.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # it would lead to whatever host the request names
    )
    application.state.set_up = set_up
    application.state.access = access
    application.state.streams = Streams()  # ended with the server
    guarded = [Depends(unless_said)]
    application.include_router(sign_in.open_router)
    application.include_router(_session_router(), dependencies=guarded, responses=ANSWERS)
    application.include_router(setup.router, dependencies=guarded, responses=ANSWERS)
    add_answers(application)
    return application


def _session_router() -> APIRouter:
    """Who is signed in, and signing out: users and tokens are for a site with cars."""
    router = APIRouter()
    for route in sign_in.router.routes:
        if isinstance(route, APIRoute) and route.path == "/v1/session":
            router.routes.append(route)
    return router
