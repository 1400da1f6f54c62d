"""The web process: NiceGUI's pages, signing in and out, and what keeps other sites from using somebody's session."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec
import uvicorn
from fastapi import FastAPI, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from nicegui import Client, ui
from nicegui import app as pages
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from parkwatt.app.api.bounds import Bounds
from parkwatt.app.api.patient_protocol import PatientProtocol
from parkwatt.app.web import catalogue
from parkwatt.app.web.api import Api, ApiError, api_client
from parkwatt.app.web.frame import frame
from parkwatt.app.web.live import Live
from parkwatt.app.web.page import Page, Person
from parkwatt.app.web.pages import MENU, PAGES, WAYS
from parkwatt.app.web.pages.setup import set_up_page
from parkwatt.app.web.pages.sign_in import sign_in_page, unreachable_page, welcome_page
from parkwatt.app.web.parts import text
from parkwatt.app.web.settings import WebReady, WebStart
from parkwatt.app.web.styles import style

COOKIE: Final = "parkwatt_session"
_SIGNED_OUT: Final = 401
_FORBIDDEN: Final = 403
_TOO_OFTEN: Final = 429
_BUILDS_S: Final = 20.0
_REQUESTS_AT_ONCE: Final = 512
# How long a page's state is kept for a browser that is away: a phone that slept longer loads the page anew by itself.
_AWAY_S: Final = 120.0
_PREFIX: Final = re.compile(r"(/[\w.~-]+)+/?", re.ASCII)
# NiceGUI compiles its templates in the browser and styles elements in place. Nothing is loaded from elsewhere.
_POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self' ws: wss:; frame-ancestors 'self'; "
    "base-uri 'self'; form-action 'self'; object-src 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


async def serve_pages(start: WebStart) -> None:
    """Serve until the standard input ends. Raises OSError where the address cannot be listened on."""
    connections = api_client(start.api_url)
    live = Live(connections, start.token)
    with _bound(start) as bound:
        server = _Server(_application(connections, live, set_up=start.set_up), bound)
        tasks = [asyncio.create_task(_parent_gone())]
        if not start.set_up:  # else there is no site to hear of
            tasks.append(asyncio.create_task(live.run()))
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        try:
            ended, _ = await asyncio.wait([serving, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()  # a reader that failed ends the process, which is then started again
        finally:
            server.should_exit = True
            for task in tasks:
                task.cancel()
            await asyncio.gather(serving, *tasks, return_exceptions=True)
            await connections.aclose()


def _bound(start: WebStart) -> socket.socket:
    family = socket.AF_INET6 if ":" in start.host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((start.host, start.port))
    return bound


async def _parent_gone() -> None:
    """Wait until the standard input ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(1024):
        pass


class _Server(uvicorn.Server):
    """Says on the standard output where it is reached, once it is."""

    def __init__(self, application: FastAPI, bound: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                log_config=None,
                access_log=False,
                server_header=False,
                http=PatientProtocol,
                ws="websockets-sansio",
                limit_concurrency=_REQUESTS_AT_ONCE,
                proxy_headers=True,
                forwarded_allow_ips="127.0.0.1,::1",
                timeout_graceful_shutdown=1,
            )
        )
        self._bound = bound

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start; uvicorn's own name."""
        await super().startup(sockets)
        ready = msgspec.json.encode(WebReady(self._bound.getsockname()[1]))
        sys.stdout.write(ready.decode() + "\n")
        sys.stdout.flush()


def _application(connections: Any, live: Live, *, set_up: bool) -> FastAPI:
    application = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    _add_session_routes(application, connections)
    if set_up:
        _add_set_up(connections, live)
    else:
        for name, content in PAGES.items():
            _add_page(name, content, connections, live)
    _add_plain("/sign-in", sign_in_page)
    _add_plain("/welcome", welcome_page)
    ui.run_with(
        application,
        title="Parkwatt",
        viewport="width=device-width, initial-scale=1, viewport-fit=cover",
        dark=None,
        tailwind=False,
        binding_refresh_interval=None,
        reconnect_timeout=_AWAY_S,
        show_welcome_message=False,
    )
    pages.router.redirect_slashes = False  # it would lead to whatever host the request names
    application.add_middleware(_PlainPrefix)
    application.add_middleware(_OwnOrigin)
    application.add_middleware(Bounds, headers=_HEADERS)
    return application


def _add_page(
    name: str, content: Callable[[Page], Awaitable[None]], connections: Any, live: Live
) -> None:
    async def show(request: Request, client: Client) -> Response | None:
        api = Api(connections, request.cookies.get(COOKIE))
        try:
            me, site = await asyncio.gather(api.get("/v1/session"), api.get("/v1/site"))
        except ApiError as error:
            if error.status == _SIGNED_OUT:
                return RedirectResponse(f"/sign-in?next={quote(_path(name))}", 303)
            _plain(request, unreachable_page)
            return None
        page = Page(
            client, api, live, Person.of(me), _language(request), site, dict(request.query_params)
        )
        _dress(request)
        with frame(page, name, WAYS, MENU):
            page.watch_person()
            try:
                await content(page)
            except ApiError as error:
                text(page.refusal(error), "alarm").props("role=alert")
        return None

    ui.page(_path(name), title=f"Parkwatt · {name}", response_timeout=_BUILDS_S)(show)


def _add_set_up(connections: Any, live: Live) -> None:
    """The one page of a site that has no file yet, wherever one comes in."""

    async def show(request: Request, client: Client) -> Response | None:
        api = Api(connections, request.cookies.get(COOKIE))
        try:
            me, at = await asyncio.gather(api.get("/v1/session"), api.get("/v1/setup"))
        except ApiError as error:
            if error.status == _SIGNED_OUT:
                return RedirectResponse("/sign-in", 303)
            _plain(request, unreachable_page)
            return None
        site = {"time_zone": "UTC", "currency": "EUR", "at": at["at"], "alarms": [], "cars": []}
        page = Page(client, api, live, Person.of(me), _language(request), site)
        _dress(request)
        await set_up_page(page, at)
        return None

    ui.page("/", title="Parkwatt", response_timeout=_BUILDS_S)(show)


def _add_plain(path: str, show: Callable[[Request, str], None]) -> None:
    def shown(request: Request) -> None:
        _plain(request, show)

    ui.page(path, title="Parkwatt")(shown)


def _path(name: str) -> str:
    return "/" if name == "home" else f"/{name}"


def _language(request: Request) -> str:
    return catalogue.chosen(
        request.cookies.get("parkwatt_language"), request.headers.get("accept-language", "")
    )


def _dress(request: Request) -> None:
    """The page's style, its theme, and its language for a screen reader."""
    ui.add_css(style())
    theme = request.cookies.get("parkwatt_theme")
    ui.dark_mode({"dark": True, "light": False}.get(theme or ""))
    ui.query("html").props(f"lang={_language(request)}")


def _plain(request: Request, show: Callable[[Request, str], None]) -> None:
    """A page without a frame and without a session."""
    _dress(request)
    show(request, _language(request))


def _add_session_routes(application: FastAPI, connections: Any) -> None:
    @application.post("/sign-in")
    async def sign_in(
        request: Request,
        name: str = Form(""),
        password: str = Form(""),
        link: str = Form(""),
        next: str = Form("/"),  # noqa: A002 the form's field
    ) -> Response:
        given = {"link": link} if link else {"name": name, "password": password}
        try:
            # The session of before ends with the new one.
            before = request.cookies.get(COOKIE)
            session = await Api(connections, before).post("/v1/sessions", given)
        except ApiError as error:
            why = {0: "away", _TOO_OFTEN: "often"}.get(error.status, "link" if link else "wrong")
            target = f"/sign-in?why={why}&next={quote(_inside(next))}"
            return RedirectResponse(_prefix(request) + target, 303)
        answer = RedirectResponse(_prefix(request) + _inside(next), 303)
        _set_cookie(answer, request, session["token"])
        return answer

    @application.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        token = request.cookies.get(COOKIE)
        if token is not None:
            with contextlib.suppress(ApiError):  # the cookie goes anyhow, the session by time
                await Api(connections, token).delete("/v1/session")
        answer = JSONResponse({})
        answer.delete_cookie(COOKIE, path=_cookie_path(request))
        return answer


def _inside(path: str) -> str:
    """A path of ours, never another site's."""
    parts = urlsplit(path)
    inside = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc
    return path if inside and path.isprintable() else "/"


def _set_cookie(answer: Response, request: Request, token: str) -> None:
    answer.set_cookie(
        COOKIE,
        token,
        path=_cookie_path(request),
        max_age=90 * 86_400,  # the API ends it sooner
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def _cookie_path(request: Request) -> str:
    return _prefix(request) or "/"


def _prefix(request: Request) -> str:
    """Behind a proxy the pages may lie under a path, which it tells."""
    return request.headers.get("x-forwarded-prefix", "")


class _PlainPrefix:
    """Takes a path off that a proxy tells where it is no plain one: it stands in cookies, scripts and addresses."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            told = Headers(scope=scope).getlist("x-forwarded-prefix")
            if told and not (len(told) == 1 and _PREFIX.fullmatch(told[0])):
                headers = [one for one in scope["headers"] if one[0] != b"x-forwarded-prefix"]
                scope = {**scope, "headers": headers}
        await self._application(scope, receive, send)


class _OwnOrigin:
    """Refuses what another site's page sends with this browser's cookie: by a form, a script or a socket."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and _is_foreign(scope):
            if scope["type"] == "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1008})
                return
            answer = JSONResponse({"detail": "asked by another site's page"}, _FORBIDDEN)
            await answer(scope, receive, send)
            return
        await self._application(scope, receive, send)


def _is_foreign(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if origin is None:
        acts = scope.get("method", "GET") not in ("GET", "HEAD", "OPTIONS")
        return acts and headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    hosts = {headers.get("host", ""), headers.get("x-forwarded-host", "")} - {""}
    return urlsplit(origin).netloc not in hosts
