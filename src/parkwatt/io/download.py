"""Fetching a small page over HTTP: bounded in time and size, its failures told in words.

A server may be slow, hang, send without end, redirect in circles or answer with a page for people. Whatever it does, the
caller gets a `Page` or a `SourceError` within `TOTAL_S`.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Final, Literal
from urllib.parse import urlsplit

import httpx

from parkwatt.domain.errors import ParkwattError

BYTES_MAX: Final = 8 * 1024 * 1024
TOTAL_S: Final = 90.0
_REDIRECTS_MAX: Final = 3
_TIMEOUT: Final = httpx.Timeout(20.0)
_RETRY_AFTER_S_MAX: Final = 86_400.0
_CHUNK: Final = 65_536
_LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "::1")

ClientFactory = Callable[[], httpx.AsyncClient]
FaultKind = Literal["unreachable", "refused", "busy", "absent", "broken"]


class SourceError(ParkwattError):
    """A source did not give what it should.

    ``reason``: what is wrong and what to do about it, for a user. ``kind``: *unreachable* (no answer, or one of an ill
    server), *refused* (access denied), *busy* (asked too often), *absent* (it does not have it yet), *broken* (an
    answer that cannot be read). ``retry_after_s``: how long the source wants to be left alone.
    """

    def __init__(self, reason: str, kind: FaultKind, retry_after_s: float | None = None) -> None:
        self.reason = reason
        self.kind = kind
        self.retry_after_s = retry_after_s
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: its status, whole body, and what tells whether it has changed."""

    status: int
    body: bytes
    etag: str | None = None
    last_modified: str | None = None
    retry_after_s: float | None = None


def client_for(url: str) -> ClientFactory:
    """Makes clients for ``url``. The environment's proxies are not used for this machine's own servers."""
    is_local = urlsplit(url).hostname in _LOCAL_HOSTS

    def make() -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=_authorities(),
            timeout=_TIMEOUT,
            follow_redirects=True,
            max_redirects=_REDIRECTS_MAX,
            trust_env=not is_local,
            headers={"User-Agent": "parkwatt", "Accept-Encoding": "gzip"},
        )

    return make


@cache
def _authorities() -> ssl.SSLContext:
    """Whom to believe. Read once: it takes a twentieth of a second, which a control loop would feel."""
    return httpx.create_ssl_context()


async def download(client: httpx.AsyncClient, request: httpx.Request, who: str) -> Page:
    """The answer to ``request``, whatever its status. ``who``: the source in words.

    Raises SourceError where there is none, or it is too large, or came by an insecure detour.
    """
    try:
        async with asyncio.timeout(TOTAL_S):
            response = await client.send(request, stream=True)
            try:
                if request.url.scheme == "https" and response.url.scheme != "https":
                    raise SourceError(f"{who} redirects to an address without encryption", "broken")
                body = await _body(response, who)
            finally:
                await response.aclose()
    except TimeoutError:
        raise SourceError(f"{who} takes too long to answer", "unreachable") from None
    except httpx.TimeoutException:
        raise SourceError(f"{who} does not answer", "unreachable") from None
    except httpx.TooManyRedirects:
        raise SourceError(f"{who} redirects in circles: check the address", "broken") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceError(
            f"{who} cannot be reached ({_cause(error)}): check the network", "unreachable"
        ) from None
    headers = response.headers
    return Page(
        response.status_code,
        body,
        headers.get("ETag"),
        headers.get("Last-Modified"),
        _retry_after_s(headers),
    )


def status_fault(page: Page, who: str) -> SourceError:
    """What a status other than 200 means, in general."""
    status = page.status
    if status in (401, 403):
        reason, kind = f"{who} refuses access (status {status})", "refused"
    elif status in (404, 410):
        reason, kind = f"{who} has nothing at this address (status {status})", "absent"
    elif status == 429:
        reason, kind = f"{who} was asked too often, and is left alone for a while", "busy"
    elif status >= 500:
        reason, kind = f"{who} has a fault of its own (status {status})", "unreachable"
    else:
        reason, kind = f"{who} answers with status {status}", "broken"
    return SourceError(reason, kind, page.retry_after_s)  # type: ignore[arg-type] # a FaultKind


async def _body(response: httpx.Response, who: str) -> bytes:
    """The body, unpacked; never more than `BYTES_MAX` of either form is held."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise SourceError(f"{who} answers in the encoding {encoding[:20]!r}", "broken")
    unpacker = zlib.decompressobj(wbits=47) if encoding not in ("identity", "") else None
    body = bytearray()
    packed_bytes = 0
    async for chunk in response.aiter_raw(_CHUNK):
        packed_bytes += len(chunk)
        if unpacker is not None:
            try:
                chunk = unpacker.decompress(chunk, BYTES_MAX + 1 - len(body))  # noqa: PLW2901
            except zlib.error:
                raise SourceError(f"{who} answers with damaged data", "broken") from None
        body += chunk
        if max(len(body), packed_bytes) > BYTES_MAX:
            raise SourceError(f"{who} answers with more than {BYTES_MAX >> 20} MB", "broken")
    return bytes(body)


def _retry_after_s(headers: httpx.Headers) -> float | None:
    """Seconds of `Retry-After`, which is a number or a date; a date is counted from the answer's own."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _RETRY_AFTER_S_MAX)
    try:
        until, sent = (parsedate_to_datetime(value) for value in (text, headers.get("Date", "")))
        wait_s = (until - sent).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait_s, 0.0), _RETRY_AFTER_S_MAX)


def _cause(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:120] or type(error).__name__
