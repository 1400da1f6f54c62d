"""The way of the pages to the site's API: with the session of whoever looks, so that roles are checked there alone."""

from __future__ import annotations

from typing import Any, Final

import httpx

_TIMEOUT_S: Final = 20.0
_REFUSED: Final = 422
_FAILED_FROM: Final = 400


class ApiError(Exception):
    """The API answered no. ``status``: of HTTP, 0 where nobody answered; ``sentence``: for whoever asked.

    ``faults``: (field, rule, value) of input that breaks rules. ``retry_after_s``: when to try again, where it was told.
    """

    def __init__(
        self,
        status: int,
        sentence: str,
        faults: tuple[tuple[str, str, str | None], ...] = (),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.faults = faults
        self.retry_after_s = retry_after_s


class Api:
    """The API with one token, over the connections of ``client``. ``token``: None is nobody's."""

    def __init__(self, client: httpx.AsyncClient, token: str | None) -> None:
        self._client = client
        # A cookie holds what a browser sent: what is no token goes into no header.
        usable = token is not None and token.isascii() and token.isprintable()
        self._headers = {"Authorization": f"Bearer {token}"} if usable else {}

    async def get(self, path: str, **parameters: str | int | float | bool) -> Any:
        """What the API shows at ``path``. Raises ApiError."""
        return await self._ask("GET", path, parameters=parameters)

    async def post(self, path: str, body: object = None) -> Any:
        """Raises ApiError."""
        return await self._ask("POST", path, body)

    async def put(self, path: str, body: object = None) -> Any:
        """Raises ApiError."""
        return await self._ask("PUT", path, body)

    async def patch(self, path: str, body: object = None) -> Any:
        """Raises ApiError."""
        return await self._ask("PATCH", path, body)

    async def delete(self, path: str) -> Any:
        """Raises ApiError."""
        return await self._ask("DELETE", path)

    async def download(self, path: str, **parameters: str | int) -> tuple[bytes, str]:
        """A file's bytes and media type. Raises ApiError."""
        answer = await self._send("GET", path, None, parameters)
        return answer.content, answer.headers.get("content-type", "application/octet-stream")

    async def _ask(
        self, method: str, path: str, body: object = None, parameters: Any = None
    ) -> Any:
        answer = await self._send(method, path, body, parameters)
        return answer.json() if answer.content else None

    async def _send(self, method: str, path: str, body: object, parameters: Any) -> httpx.Response:
        try:
            answer = await self._client.request(
                method, path, json=body, params=parameters, headers=self._headers
            )
        except httpx.HTTPError as error:
            raise ApiError(0, "Parkwatt does not answer") from error
        if answer.status_code >= _FAILED_FROM:
            raise _refused(answer)
        return answer


def api_client(url: str) -> httpx.AsyncClient:
    """The connections to the API at ``url``: each call has its own.

    One kept open may be closed by the server just as the next call goes out on it, in the demo's fast time after milliseconds;
    a new one costs a fraction of one on the loopback interface.
    """
    fresh = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S, trust_env=False, limits=fresh)


def _refused(answer: httpx.Response) -> ApiError:
    try:
        told = answer.json()
    except ValueError:
        told = {}
    if answer.status_code == _REFUSED and isinstance(told.get("faults"), list):
        faults = tuple((one["field"], one["rule"], one["value"]) for one in told["faults"])
        return ApiError(_REFUSED, "; ".join(f"{one[0]} {one[1]}" for one in faults), faults)
    retry = answer.headers.get("retry-after", "")
    return ApiError(
        answer.status_code,
        str(told.get("detail", f"refused with status {answer.status_code}")),
        retry_after_s=int(retry) if retry.isdecimal() else None,
    )
