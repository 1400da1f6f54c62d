"""The HTTP side of a VEN: tokens, pages of lists, ETags, and answers that are believed only as far as they make sense.

Tolerant on purpose: the reference server ignores HTTP Basic, names no end of a token's life, writes times without a zone and
answers 400 to a null. So credentials go into the body, and once more by Basic where that is refused; a token is asked for anew
when it is refused; nothing that is null is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
import msgspec

from parkwatt.domain.errors import ParkwattError
from parkwatt.io.openadr.settings import OpenadrSettings

_PAGE: Final = 50
_PAGES_MAX: Final = 400
_BYTES_MAX: Final = 16 * 1024 * 1024
_TIMEOUT_S: Final = 15.0
# A token is asked for anew a little before it ends.
_EARLY_S: Final = 30.0
_UNAUTHORIZED, _NOT_MODIFIED, _CONFLICT, _FAILED = 401, 304, 409, 400
_SECRET_MAX: Final = 10_000


class VtnError(ParkwattError):
    """The server did not answer, or not with what the standard says. ``status``: of HTTP, 0: there was none.

    ``retry_s``: how long it asked to be left alone.
    """

    def __init__(self, sentence: str, status: int = 0, retry_s: float = 0.0) -> None:
        self.status = status
        self.retry_s = retry_s
        super().__init__(sentence)


class Vtn:
    """Calls to one server. ``clock_s``: a clock in seconds that does not go back. Used by one task at a time."""

    def __init__(self, settings: OpenadrSettings, clock_s: Callable[[], float]) -> None:
        self._settings, self._clock_s = settings, clock_s
        self._client = httpx.AsyncClient(
            timeout=_TIMEOUT_S, trust_env=False, follow_redirects=False
        )
        self._token = ""
        self._token_until_s = 0.0
        self._lists: dict[str, tuple[str, list[object]]] = {}

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def all_of(self, path: str, **query: str) -> list[object]:
        """A list, all its pages. Raises VtnError."""
        found: list[object] = []
        seen: set[str] = set()
        for page in range(_PAGES_MAX):
            part = await self._page(path, {**query, "skip": str(page * _PAGE), "limit": str(_PAGE)})
            fresh = [one for one in part if _id_of(one) not in seen]
            # A server that leaves ``skip`` aside answers with the same page for ever.
            if part and not fresh:
                break
            seen |= {_id_of(one) for one in fresh}
            found += fresh
            if len(part) < _PAGE:
                return found
        return found

    async def _page(self, path: str, query: dict[str, str]) -> list[object]:
        key = f"{path}?{sorted(query.items())}"
        known = self._lists.get(key)
        headers = {"If-None-Match": known[0]} if known else {}
        response = await self._request("GET", path, query=query, headers=headers)
        if response.status_code == _NOT_MODIFIED and known:
            return known[1]
        answer = _json(response, path)
        if not isinstance(answer, list):
            raise VtnError(f"{path}: the server answered no list")
        tag = response.headers.get("ETag")
        if tag:
            self._lists[key] = (tag, answer)
        else:
            self._lists.pop(key, None)
        return answer

    async def get(self, path: str) -> Any:
        """An object. Raises VtnError."""
        return _json(await self._request("GET", path), path)

    async def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Create or change an object; returns it as the server has it. Raises VtnError."""
        return _json(await self._request(method, path, body=_without_null(body)), path)

    async def delete(self, path: str) -> None:
        """Delete an object. Raises VtnError."""
        await self._request("DELETE", path)

    async def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
    ) -> httpx.Response:
        response = await self._once(method, path, query, headers, body)
        if response.status_code == _UNAUTHORIZED:
            self._token = ""
            response = await self._once(method, path, query, headers, body)
        if response.status_code >= _FAILED:
            raise VtnError(
                f"{method} {path}: the server answered {response.status_code} {_detail(response)}",
                response.status_code,
                _retry_s(response),
            )
        return response

    async def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: object,
    ) -> httpx.Response:
        token = await self._valid_token()
        request = self._client.build_request(
            method,
            f"{self._settings.url}{path}",
            params=dict(query) if query else None,
            headers={**(headers or {}), "Authorization": f"Bearer {token}"},
            json=body,
        )
        return await self._answer(request)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        """The answer, of a bounded size."""
        try:
            response = await self._client.send(request, stream=True)
            try:
                content = bytearray()
                async for part in response.aiter_bytes():
                    content += part
                    if len(content) > _BYTES_MAX:
                        raise VtnError(
                            f"{request.url.path}: the answer is larger than {_BYTES_MAX} bytes"
                        )
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            words = str(error) or type(error).__name__
            raise VtnError(f"{request.url.path}: no answer ({words})") from error
        headers = {k: v for k, v in response.headers.items() if k.lower() not in _MADE_ANEW}
        return httpx.Response(response.status_code, headers=headers, content=bytes(content))

    # Tokens.

    async def _valid_token(self) -> str:
        if not self._token or self._clock_s() >= self._token_until_s:
            await self._fetch_token()
        return self._token

    async def _fetch_token(self) -> None:
        url = self._settings.token_url or await self._discovered()
        secret = self._settings.client_secret_file.read_text(encoding="utf-8")[:_SECRET_MAX].strip()
        form = {"grant_type": "client_credentials"}
        if self._settings.scope:
            form["scope"] = self._settings.scope
        who = {"client_id": self._settings.client_id, "client_secret": secret}
        response = await self._answer(self._client.build_request("POST", url, data={**form, **who}))
        if response.status_code in (400, 401, 403):
            # Some servers take them by HTTP Basic alone (RFC 6749, 2.3.1).
            basic = httpx.BasicAuth(self._settings.client_id, secret)
            request = self._client.build_request("POST", url, data=form)
            response = await self._answer(next(basic.auth_flow(request)))
        if response.status_code >= _FAILED:
            raise VtnError(
                f"the server gives no token: {response.status_code} {_detail(response)}",
                response.status_code,
                _retry_s(response),
            )
        answer = _json(response, "token")
        token = answer.get("access_token") if isinstance(answer, Mapping) else None
        if not isinstance(token, str) or not token or not token.isprintable():
            raise VtnError("the server's answer holds no access_token")
        lasts = answer.get("expires_in")
        known = isinstance(lasts, (int, float)) and not isinstance(lasts, bool) and lasts > 0
        self._token = token
        until_s = max(float(lasts) - _EARLY_S, 1.0) if known else float("inf")
        self._token_until_s = self._clock_s() + until_s

    async def _discovered(self) -> str:
        """Where tokens come from, by the server's own account; else where the standard has it."""
        fallback = f"{self._settings.url}/auth/token"
        request = self._client.build_request("GET", f"{self._settings.url}/auth/server")
        response = await self._answer(request)
        if response.status_code >= _FAILED:
            return fallback
        answer = _json(response, "/auth/server")
        url = answer.get("tokenURL") if isinstance(answer, Mapping) else None
        if not isinstance(url, str):
            return fallback
        own, told = httpx.URL(self._settings.url), httpx.URL(url)
        # The secret goes nowhere that is less safe than the server itself.
        if told.scheme != "https" and (told.scheme, told.host) != (own.scheme, own.host):
            raise VtnError(f"the server names a place for tokens that is not safe: {url[:100]}")
        return url


_MADE_ANEW: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def _json(response: httpx.Response, what: str) -> Any:
    try:
        return msgspec.json.decode(response.content)
    except msgspec.DecodeError as error:
        raise VtnError(f"{what}: the server's answer is no JSON ({error})") from error


def _detail(response: httpx.Response) -> str:
    try:
        answer = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        return ""
    if not isinstance(answer, Mapping):
        return ""
    return str(answer.get("detail") or answer.get("title") or answer.get("error") or "")[:200]


def _retry_s(response: httpx.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return min(float(text), 3600.0) if text.isdigit() else 0.0


def _id_of(one: object) -> str:
    return str(one.get("id", "")) if isinstance(one, Mapping) else repr(one)


def _without_null(body: object) -> Any:
    if isinstance(body, Mapping):
        return {name: _without_null(one) for name, one in body.items() if one is not None}
    if isinstance(body, list | tuple):
        return [_without_null(one) for one in body]
    return body
