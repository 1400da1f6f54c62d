"""What stands before every route: bounds on a request, and headers that keep answers out of caches and frames.

An address that holds control characters, as a forged line break, is refused as it is: no route has a use for them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from fastapi import HTTPException
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES_MAX = 1 << 20
ADDRESS_CHARACTERS_MAX = 8192
BODY_S_MAX: Final = 20.0
_TOO_LARGE = f"the body must have at most {BODY_BYTES_MAX} bytes"
_TOO_SLOW: Final = f"the body must be there within {BODY_S_MAX:g} s"
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Bounds:
    """An ASGI application around another. A body is counted as it comes, whatever its length was said to be.

    ``headers``: what every answer bears.
    """

    def __init__(self, app: ASGIApp, headers: Mapping[str, str] = _HEADERS) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; ASGI's own name."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bytes_count = 0
        body_until_s: float | None = time.monotonic() + BODY_S_MAX

        async def receive_bounded() -> Message:
            nonlocal bytes_count, body_until_s
            message = await _within(receive, body_until_s)
            if not message.get("more_body", False):
                body_until_s = None  # what is waited for now is that the reader goes
            bytes_count += len(message.get("body", b""))
            if bytes_count > BODY_BYTES_MAX:
                raise HTTPException(413, _TOO_LARGE)
            return message

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
            await send(message)

        refusal = _refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send_marked)
            return
        await self._app(scope, receive_bounded, send_marked)


async def _within(receive: Receive, until_s: float | None) -> Message:
    """The next message. Raises HTTPException (408) where it is not there by then, by the wall's clock: a demo's is faster."""
    while until_s is not None:
        try:
            async with asyncio.timeout(BODY_S_MAX):
                return await receive()
        except TimeoutError as error:
            if time.monotonic() >= until_s:
                raise HTTPException(408, _TOO_SLOW) from error
    return await receive()


def _refusal(scope: Scope) -> JSONResponse | None:
    """What is said to an address that cannot be meant; None: nothing is wrong with it."""
    path = str(scope["path"])
    if len(path) + len(scope["query_string"]) > ADDRESS_CHARACTERS_MAX:
        told = f"the address must have at most {ADDRESS_CHARACTERS_MAX} characters"
        return JSONResponse({"detail": told}, 414)
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in path):
        return JSONResponse({"detail": "the address must not hold control characters"}, 400)
    return None
