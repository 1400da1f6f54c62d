"""The command line's way to a running server: its API, found through the site's file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from parkwatt.app.serve_settings import Address, ServeSettings, read_serve_settings
from parkwatt.app.site_directory import read_token
from parkwatt.domain.errors import InputError, InputFault, ParkwattError
from parkwatt.domain.record import Faults

_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 where a server that listens everywhere is reached
_REFUSED = 422
_FAILED_FROM = 400
_PAGE = 500


class ServerUnreachableError(ParkwattError):
    """No server answers at ``url``."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        how = "parkwatt up SITE.toml, or parkwatt serve for its chargers alone"
        super().__init__(f"no server answers at {url} ({reason}); start one: {how}")


class ServerRefusedError(ParkwattError):
    """The server answered no, with ``status`` of HTTP and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status = status
        super().__init__(sentence)


def load_settings(site: Path) -> ServeSettings:
    """The site's settings; raises InputError with every fault."""
    faults = Faults()
    settings = read_serve_settings(site, faults)
    faults.raise_if_any()
    if settings is None:
        raise InputError([InputFault(str(site), "must be a TOML file")])
    return settings


class Client:
    """Calls to the API of the site's server."""

    def __init__(self, settings: ServeSettings) -> None:
        """Raises ServerUnreachableError where there was never a server, InputError where its token cannot be read."""
        self._url = f"http://{_authority(settings.api)}"
        try:
            token = read_token(settings.store.token)
        except FileNotFoundError as error:
            raise ServerUnreachableError(self._url, "it was never started for this site") from error
        self._headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str, **parameters: str | int | bool) -> Any:
        """What the server shows at ``path``."""
        return self._request("GET", path, parameters=parameters)

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """Every entry of a list of chargers that comes in pages."""
        after = ""
        while page := self.get(path, after=after, limit=_PAGE):
            yield from page
            after = page[-1]["charger_id"]

    def send(self, method: str, path: str, body: object = None, *, timeout_s: float = 60.0) -> Any:
        """Ask the server to do something."""
        return self._request(method, path, body=body, timeout_s=timeout_s)

    def _request(
        self,
        method: str,
        path: str,
        *,
        parameters: dict[str, str | int | bool] | None = None,
        body: object = None,
        timeout_s: float = 30.0,
    ) -> Any:
        try:
            response = httpx.request(
                method,
                self._url + path,
                params=parameters,
                json=body,
                headers=self._headers,
                timeout=timeout_s,
                trust_env=False,
            )
        except httpx.HTTPError as error:
            raise ServerUnreachableError(self._url, str(error) or type(error).__name__) from error
        try:
            answer = response.json()
            if response.status_code == _REFUSED:
                raise InputError(
                    [
                        InputFault(fault["field"], fault["rule"], fault["value"])
                        for fault in answer["faults"]
                    ]
                )
            if response.status_code >= _FAILED_FROM:
                told = f"the server answered {response.status_code}: {answer['detail']}"
                raise ServerRefusedError(response.status_code, told)
        except (ValueError, KeyError, TypeError) as error:
            told = f"what answers at {self._url} is not Parkwatt (status {response.status_code})"
            raise ServerRefusedError(response.status_code, told) from error
        return answer


def charger_path(charger_id: str, *rest: str) -> str:
    """The path of a charger in the API."""
    return "/".join(["/v1/chargers", quote(charger_id, safe=""), *rest])


def _authority(address: Address) -> str:
    host = _LOOPBACK.get(address.host, address.host)
    return f"[{host}]:{address.port}" if ":" in host else f"{host}:{address.port}"
