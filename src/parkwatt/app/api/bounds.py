"""What stands before every route: a bound on the body, and headers that keep answers out of caches."""

from __future__ import annotations

from fastapi import HTTPException
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES_MAX = 1 << 20
_TOO_LARGE = f"the body must have at most {BODY_BYTES_MAX} bytes"


class Bounds:
    """An ASGI application around another. A body is counted as it comes, whatever its length was said to be."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; ASGI's own name."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bytes_count = 0

        async def receive_bounded() -> Message:
            nonlocal bytes_count
            message = await receive()
            bytes_count += len(message.get("body", b""))
            if bytes_count > BODY_BYTES_MAX:
                raise HTTPException(413, _TOO_LARGE)
            return message

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, receive_bounded, send_marked)
