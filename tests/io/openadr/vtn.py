"""A server of OpenADR 3.1 on a real socket, for tests: as the standard has it, with others' quirks, or out of order."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

KINDS = ("programs", "events", "reports", "vens", "resources", "subscriptions")


@dataclass
class Quirks:
    """What this server does its own way. ``fails``: answers everything with this status; ``garbles``: sends no JSON."""

    basic_only: bool = False
    expires_in: int | None = 3600
    zone: str = "Z"
    ignores_skip: bool = False
    refuses_nulls: bool = True
    etags: bool = True
    fails: int = 0
    garbles: bool = False
    retry_after: str = ""
    token_url: str = ""


@dataclass
class TestVtn:
    """``objects``: by kind and id; ``now``: what the server writes as the time of a change; ``asked``: requests, as text."""

    __test__ = False

    url: str
    quirks: Quirks
    objects: dict[str, dict[str, dict[str, Any]]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    count: int = 0
    now: str = "2026-11-20T17:00:00"
    not_modified: int = 0

    def put(self, kind: str, body: dict[str, Any], object_id: str | None = None) -> str:
        """Create or change an object, as the business logic would."""
        self.count += 1
        known = self.objects[kind].get(object_id or "")
        identity = object_id or f"{kind[:-1]}-{self.count}"
        created = self._stamp() if known is None else known["createdDateTime"]
        meta = {
            "id": identity,
            "createdDateTime": created,
            "modificationDateTime": self._stamp(),
            "objectType": kind[:-1].upper(),
        }
        self.objects[kind][identity] = {**body, **meta}
        return identity

    def remove(self, kind: str, object_id: str) -> None:
        """Delete an object."""
        del self.objects[kind][object_id]

    def _stamp(self) -> str:
        # Each change is a second later.
        base, seconds = self.now.rsplit(":", 1)
        minutes, rest = divmod(int(seconds) + self.count, 60)
        hour, minute = base[11:].split(":")
        whole = int(hour) * 60 + int(minute) + minutes
        return f"{base[:11]}{whole // 60:02d}:{whole % 60:02d}:{rest:02d}{self.quirks.zone}"

    # HTTP.

    async def answer(self, request: Request) -> Response:
        """Any request but those for tokens."""
        self.asked.append(f"{request.method} {request.url.path}")
        if self.quirks.fails:
            headers = {"Retry-After": self.quirks.retry_after} if self.quirks.retry_after else {}
            return JSONResponse({"title": "out of order"}, self.quirks.fails, headers)
        if self.quirks.garbles:
            return Response(b'[{"id": "event-1", "prog', media_type="application/json")
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            return JSONResponse({"title": "Unauthorized"}, 401)
        kind = request.path_params["kind"]
        if kind not in KINDS:
            return JSONResponse({"title": "Not found"}, 404)
        object_id = request.path_params.get("id")
        if request.method == "GET":
            return self._listed(request, kind)
        if request.method == "DELETE":
            return JSONResponse(self.objects[kind].pop(str(object_id)))
        body = await request.json()
        if self.quirks.refuses_nulls and _has_null(body):
            return JSONResponse({"title": "null is not allowed"}, 400)
        if request.method == "POST" and self._is_there(kind, body):
            return JSONResponse({"title": "Conflict"}, 409)
        identity = self.put(kind, body, object_id)
        return JSONResponse(self.objects[kind][identity], 201)

    def _is_there(self, kind: str, body: dict[str, Any]) -> bool:
        key = {"vens": "venName", "resources": "resourceName", "reports": "reportName"}.get(kind)
        return key is not None and any(
            one[key] == body.get(key) for one in self.objects[kind].values()
        )

    def _listed(self, request: Request, kind: str) -> Response:
        query = request.query_params
        limit = int(query.get("limit", "50"))
        if limit > 50:
            return JSONResponse({"title": "limit"}, 400)
        skip = 0 if self.quirks.ignores_skip else int(query.get("skip", "0"))
        content = json.dumps(list(self.objects[kind].values())[skip : skip + limit]).encode()
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        if self.quirks.etags and request.headers.get("if-none-match") == tag:
            self.not_modified += 1
            return Response(status_code=304, headers={"ETag": tag})
        headers = {"ETag": tag} if self.quirks.etags else {}
        return Response(content, media_type="application/json", headers=headers)

    async def server(self, _request: Request) -> Response:
        """Where tokens come from."""
        if self.quirks.fails:
            return JSONResponse({}, self.quirks.fails)
        return JSONResponse({"tokenURL": self.quirks.token_url or f"{self.url}/auth/token"})

    async def token(self, request: Request) -> Response:
        """A token for the one client that is known."""
        if self.quirks.fails:
            return JSONResponse({}, self.quirks.fails)
        form = dict((await request.form()).items())
        given = (form.get("client_id"), form.get("client_secret"))
        if self.quirks.basic_only:
            text = request.headers.get("authorization", "").removeprefix("Basic ")
            name, _, secret = base64.b64decode(text).decode().partition(":")
            given = (name, secret)
        if given != ("ven", "secret") or form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "invalid_client"}, 401)
        self.count += 1
        token = f"token-{self.count}"
        self.tokens.add(token)
        body: dict[str, Any] = {"access_token": token, "token_type": "Bearer"}
        if self.quirks.expires_in is None:
            body["scope"] = ["read_all"]
        else:
            body |= {"expires_in": self.quirks.expires_in, "scope": "read_all"}
        return JSONResponse(body)


def _has_null(body: object) -> bool:
    if isinstance(body, dict):
        return any(one is None or _has_null(one) for one in body.values())
    return isinstance(body, list) and any(map(_has_null, body))


class _Server(uvicorn.Server):
    async def main_loop(self) -> None:
        while not self.should_exit:
            await asyncio.sleep(1.0)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def vtn(quirks: Quirks | None = None) -> AsyncIterator[TestVtn]:
    """A server that runs meanwhile."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    made = TestVtn(f"http://127.0.0.1:{port}/openadr3/3.1.0", quirks or Quirks())
    methods = ["GET", "POST", "PUT", "DELETE"]
    application = Starlette(
        routes=[
            Route("/openadr3/3.1.0/auth/server", made.server),
            Route("/openadr3/3.1.0/auth/token", made.token, methods=["POST"]),
            Route("/openadr3/3.1.0/{kind}", made.answer, methods=methods),
            Route("/openadr3/3.1.0/{kind}/{id}", made.answer, methods=methods),
        ]
    )
    config = uvicorn.Config(application, log_config=None, access_log=False, lifespan="off")
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield made
    finally:
        server.should_exit = True
        await task
        listening.close()


def event(
    program: str,
    *signals: tuple[str, list[Any]],
    start: str = "2026-11-20T17:00:00Z",
    duration: str = "PT1H",
    **more: Any,
) -> dict[str, Any]:
    """An event with an interval for each signal."""
    return {
        "programID": program,
        "intervalPeriod": {"start": start, "duration": duration},
        "intervals": [
            {"id": number, "payloads": [{"type": name, "values": values}]}
            for number, (name, values) in enumerate(signals)
        ],
        **more,
    }
