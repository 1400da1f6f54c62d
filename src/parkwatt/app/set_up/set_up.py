"""A site that is being set up: the answers so far, the charger that is looked for, and the file at the end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from parkwatt.app.admission import Admission, admit, readmit
from parkwatt.app.atomic_file import replacing
from parkwatt.app.live_settings import LiveSettings
from parkwatt.app.serve_settings import Address, ServeSettings, read_serve_settings
from parkwatt.app.set_up.checking import check
from parkwatt.app.set_up.draft import Charger, Draft
from parkwatt.app.set_up.preview import Preview, preview
from parkwatt.app.set_up.site_toml import Addresses, site_toml
from parkwatt.app.tried_chargers import TriedChargers
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.record import Faults
from parkwatt.io.credentials.store import CredentialStore

_ANSWERED_S: Final = 0.5
# Documentation's own network (RFC 5737): asked for a way there, the system names our address; nothing is sent.
_ELSEWHERE: Final = ("192.0.2.1", 9)


@dataclass(slots=True)
class Listening:
    """Whether chargers are heard while the site is set up, at which port, and why not. ``connected``: who came in."""

    port: int = 0
    trouble: str | None = None
    connected: str | None = None


class SetUp:
    """What the browser works on. Everything here belongs to one event loop.

    ``path``: of the site's file, which does not exist yet; ``clock``: µs since 1970 UTC. ``done``: set once it does.
    """

    def __init__(self, path: Path, addresses: Addresses, clock: Callable[[], int]) -> None:
        self.path = path
        self.addresses = addresses
        self.draft = Draft()
        self.tried = TriedChargers()
        self.listening = Listening()
        self.done = asyncio.Event()
        self.finished = False
        self._clock = clock

    @property
    def now_unix_us(self) -> int:
        """The clock."""
        return self._clock()

    @property
    def data_directory(self) -> Path:
        """Where the site's data will lie, as in any site's file that says nothing of it."""
        return self.path.parent / f"{self.path.stem}-data"

    @property
    def charger_url(self) -> str:
        """Where a real charger connects, as its page wants it."""
        scheme = "wss" if self.draft.charger.encrypted else "ws"
        host, port = self.addresses.reached_at, self.listening.port or self.addresses.ocpp.port
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"

    def take(self, draft: Draft) -> tuple[LiveSettings | None, list[InputFault]]:
        """Keep what was answered, and check it."""
        self.draft = draft
        return check(draft, self.addresses, self.path.parent)

    async def preview(self, draft: Draft) -> Preview:
        """The night ahead. Raises InputError with the draft's faults."""
        settings, faults = self.take(draft)
        if settings is None:
            raise InputError(faults)
        return await preview(settings, self._clock() // 1_000_000)

    def invite(self, charger: Charger) -> Admission:
        """Make or renew the password of a charger. Raises InputError for an identity that cannot be."""
        self.draft = self.draft.model_copy(update={"charger": charger})
        settings = self._serve_settings()
        now = datetime.fromtimestamp(self._clock() / 1e6, tz=UTC)
        with CredentialStore(settings.store.credentials) as store:
            known = store.find(charger.id)
        if known is None:
            return admit(settings, charger.id, None, None, now)
        return readmit(settings, charger.id, None, now)

    def finish(self, draft: Draft) -> None:
        """Write the file, and let the site begin. Raises InputError with every fault; nothing is written then."""
        settings, faults = self.take(draft)
        if draft.charger.kind == "real" and not self._is_invited(draft.charger.id):
            rule = "must have been given its password: without it cannot connect"
            faults = [*faults, InputFault("charger.id", rule, draft.charger.id)]
        if settings is None or faults:
            raise InputError(faults)
        if self.path.exists():
            raise InputError([InputFault("site", "must not exist yet", str(self.path))])
        with replacing(self.path) as stream:
            stream.write(site_toml(draft, self.addresses))
        self.finished = True
        asyncio.get_running_loop().call_later(_ANSWERED_S, self.done.set)

    def _is_invited(self, charger_id: str) -> bool:
        with CredentialStore(self.data_directory / "credentials.sqlite") as store:
            return store.find(charger_id) is not None

    def _serve_settings(self) -> ServeSettings:
        """The back end's part of the file that the draft makes, as if it stood where it will."""
        text = site_toml(self.draft, self.addresses)
        faults = Faults()
        scratch = self.data_directory / "draft.toml"
        with replacing(scratch) as stream:
            stream.write(f'{text}\n[store]\ndirectory = "."\n')
        try:
            settings = read_serve_settings(scratch, faults)
        finally:
            scratch.unlink()
        faults.found = [
            InputFault("charger.id", one.rule, one.value)
            if one.field.startswith("charger[0].id")
            else one
            for one in faults.found
        ]
        faults.raise_if_any()
        if settings is None:
            raise AssertionError("what was written is TOML")
        return settings


def own_address() -> str:
    """The address of this machine in its network; its name where it has none."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect(_ELSEWHERE)
        return str(way.getsockname()[0])
    return socket.gethostname()


def default_addresses() -> Addresses:
    """Pages and API for this machine alone; chargers from the whole network."""
    here = "127.0.0.1"
    everywhere = "0.0.0.0"  # noqa: S104 chargers come from the network; nothing is let in without a credential
    return Addresses(
        Address(here, 8088), Address(here, 8080), Address(everywhere, 9000), own_address()
    )
