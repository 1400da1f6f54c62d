"""The listener: one port for chargers of every version.

A handshake passes these gates, cheapest first, before 101 is answered: its form; the rate of connections in all; the rate of
failures of that address and identity; the credentials; the rate of that charger; and a live first connection, which is asked
for a sign of life (research on half-open links: the new connection must win if the old one is dead, and only then).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.io.credentials.password import PasswordChecker
from parkwatt.io.credentials.store import Credential, CredentialStore
from parkwatt.io.ocpp.server import admission, tls
from parkwatt.io.ocpp.server.admission import Admitted, Proof, Refused
from parkwatt.io.ocpp.server.identity import (
    BasicLogin,
    basic_login,
    charger_id_of,
    is_loopback,
    names_in_certificate,
)
from parkwatt.io.ocpp.server.link import Link
from parkwatt.io.ocpp.server.rates import KeyedBuckets, TokenBucket
from parkwatt.io.ocpp.server.settings import ListenerSettings
from parkwatt.io.ocpp.server.websocket import Surroundings, WebSocketLink
from parkwatt.io.ocpp.version import Version

_KEYS_MAX = 20_000
_BACKLOG = 4_096
_HANDSHAKES_MAX = 1_000  # beside the chargers that are in
_FULL_RETRY_S = 60.0
_ROUND_S = 5.0
_ROUNDS_PER_PING_INTERVAL = 8


@dataclass(frozen=True, slots=True)
class Arrival:
    """A charger that has just connected. ``security_profile``: 1 to 3; 0 without a credential, on this machine."""

    charger_id: str
    version: Version
    security_profile: int
    link: Link


@dataclass(frozen=True, slots=True)
class Refusal:
    """A handshake that was refused. ``charger_id``: None where the request named none; ``reason`` is not told to the peer."""

    charger_id: str | None
    peer: str
    status: int
    reason: str


OnLink = Callable[[Arrival], None]
OnRefusal = Callable[[Refusal], None]


async def listen(
    settings: ListenerSettings,
    credentials: CredentialStore,
    on_link: OnLink,
    on_refusal: OnRefusal | None = None,
) -> Listener:
    """Listen for chargers on the running event loop.

    ``on_link`` is called for each charger that is let in and must call `Link.listen` before it returns. When a charger
    comes back while its old connection is dead, the old link's ``on_closed`` is called first.

    Raises:
        InputError: the settings break a rule, or the address cannot be listened on.
    """
    settings.check()
    listener = Listener(settings, credentials, on_link, on_refusal)
    await listener.start()
    return listener


class Listener:
    """A port that chargers connect to; made by `listen`."""

    def __init__(
        self,
        settings: ListenerSettings,
        credentials: CredentialStore,
        on_link: OnLink,
        on_refusal: OnRefusal | None,
    ) -> None:
        """A listener that has not started."""
        self._settings = settings
        self._credentials = credentials
        self._on_link = on_link
        self._on_refusal = on_refusal
        self._loop = asyncio.get_running_loop()
        now_s = self._loop.time()
        self._connections = TokenBucket(
            settings.connections_per_s, settings.connections_burst, now_s
        )
        per_s = settings.charger_connections_per_minute / 60
        self._by_charger = KeyedBuckets(per_s, settings.charger_connections_burst, _KEYS_MAX)
        self._failures = KeyedBuckets(
            settings.failures_per_minute / 60, settings.failures_burst, _KEYS_MAX
        )
        self._passwords = PasswordChecker()
        self._slow_check = asyncio.Semaphore(1)
        self._sockets: set[WebSocketLink] = set()
        self._open: dict[str, WebSocketLink] = {}
        self._identity: dict[WebSocketLink, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._context = tls.server_context(settings)
        self._server: asyncio.Server | None = None
        self._port = settings.port
        self.refusals: Counter[int] = Counter()
        frames_burst = settings.frames_in_all_per_s
        self._around = Surroundings(
            settings=settings,
            loop=self._loop,
            frames_in_all=TokenBucket(settings.frames_in_all_per_s, frames_burst, now_s),
            on_made=self._made,
            on_request=self._request,
            on_lost=self._lost,
        )

    async def start(self) -> None:
        """Bind the port and look after the links.

        Raises:
            InputError: the address cannot be listened on.
        """
        timeout_s = self._settings.handshake_timeout_s
        try:
            self._server = await self._loop.create_server(
                lambda: WebSocketLink(self._around),
                self._settings.host,
                self._settings.port,
                ssl=self._context,
                backlog=_BACKLOG,
                ssl_handshake_timeout=None if self._context is None else timeout_s,
                ssl_shutdown_timeout=None
                if self._context is None
                else self._settings.close_timeout_s,
            )
        except OSError as error:
            address = f"{self._settings.host}:{self._settings.port}"
            raise InputError(
                [InputFault("port", f"cannot be listened on: {error.strerror}", address)]
            ) from error
        self._port = int(self._server.sockets[0].getsockname()[1])
        self._keep(self._look_after())

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    @property
    def connection_count(self) -> int:
        """How many chargers are connected."""
        return len(self._open)

    def link(self, charger_id: str) -> Link | None:
        """The live link of a charger; None where it is not connected."""
        return self._open.get(charger_id)

    def reload_certificates(self) -> None:
        """Read the server's certificates again, after a renewal; live links keep theirs.

        Raises:
            InputError: a certificate or key cannot be used (the old ones stay in use).
        """
        if self._context is not None:
            tls.server_context(
                self._settings
            )  # a broken pair is noticed before the live context is touched
            tls.load_certificates(self._context, self._settings)

    async def close(self, reason: str = "the server stops") -> None:
        """Stop listening and close every link (1001), within `close_timeout_s`."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for link in list(self._sockets):
            if link.is_waiting:
                link.cut_off(reason)
            else:
                link.close(1001, reason)
        deadline_s = self._loop.time() + self._settings.close_timeout_s
        while self._sockets and self._loop.time() < deadline_s:
            await asyncio.sleep(0.01)
        for link in list(self._sockets):
            link.cut_off(reason)
        await asyncio.sleep(0)

    # What links report

    def _made(self, link: WebSocketLink) -> bool:
        if len(self._sockets) >= self._settings.connections_max + _HANDSHAKES_MAX:
            self._note(link, None, 503, "too many handshakes")
            return False
        self._sockets.add(link)
        return True

    def _request(self, link: WebSocketLink, request: Request) -> None:
        self._keep(self._receive(link, request))

    def _lost(self, link: WebSocketLink) -> None:
        self._sockets.discard(link)
        charger_id = self._identity.pop(link, None)
        if charger_id is not None and self._open.get(charger_id) is link:
            del self._open[charger_id]

    # The gates

    async def _receive(self, link: WebSocketLink, request: Request) -> None:
        machine = link.machine
        response = machine.accept(request)
        if response.status_code != 101:
            self._note(link, None, response.status_code, "no WebSocket handshake")
            link.answer(response)
            return
        charger_id = charger_id_of(request.path)
        if charger_id is None:
            refused = Refused(
                404, "The path must end in the charger's identity.", "no identity in the path"
            )
            self._refuse(link, None, refused)
            return
        decision = await self._decide(link, charger_id, request)
        if not link.is_waiting:
            return
        if isinstance(decision, Refused):
            self._refuse(link, charger_id, decision)
            return
        self._let_in(link, charger_id, decision, response)

    async def _decide(
        self, link: WebSocketLink, charger_id: str, request: Request
    ) -> Admitted | Refused:
        now_s = self._loop.time()
        if len(self._open) >= self._settings.connections_max:
            return admission.too_fast(503, _FULL_RETRY_S, "too many chargers")
        wait_s = self._connections.take(now_s)
        if wait_s > 0.0:
            return admission.too_fast(503, wait_s, "too many connections a second in all")
        wait_s = self._failures.missing_s(now_s, link.host, charger_id)
        if wait_s > 0.0:
            return admission.too_fast(429, wait_s, "too many failed logins")
        decision = await self._authenticate(link, charger_id, request)
        if isinstance(decision, Refused):
            self._failures.take(now_s, link.host, charger_id)
            return decision
        wait_s = self._by_charger.take(now_s, charger_id)
        if wait_s > 0.0:
            return admission.too_fast(429, wait_s, "the charger connects too often")
        while (first := self._open.get(charger_id)) is not None:
            if await first.ping(self._settings.duplicate_ping_s):
                return admission.already_connected()
            first.cut_off("dead when its charger came back")
        return decision

    async def _authenticate(
        self, link: WebSocketLink, charger_id: str, request: Request
    ) -> Admitted | Refused:
        credential = self._credentials.find(charger_id)
        headers = request.headers.get_all("Authorization")
        login = basic_login(headers[0]) if len(headers) == 1 else None
        proof = Proof(
            is_encrypted=link.is_encrypted,
            is_loopback=is_loopback(link.host),
            certificate_names=names_in_certificate(link.certificate),
            login=login,
            password_matches=await self._password_matches(credential, login),
        )
        return admission.admit(
            charger_id, credential, proof, admit_unknown=self._settings.admit_unknown
        )

    async def _password_matches(
        self, credential: Credential | None, login: BasicLogin | None
    ) -> bool:
        if login is None:
            return False
        stored = None if credential is None else credential.password_hash
        quick = self._passwords.quickly(stored, login.password)
        if quick is not None or stored is None:
            return bool(quick)
        async with self._slow_check:  # one at a time, so that guesses cannot take all cores
            return await asyncio.to_thread(self._passwords.slowly, stored, login.password)

    def _let_in(
        self, link: WebSocketLink, charger_id: str, admitted: Admitted, response: Response
    ) -> None:
        chosen = link.machine.subprotocol
        link.answer(response)
        if chosen is None:
            self._note(link, charger_id, 101, "no common sub-protocol")
            link.close(1002, "no common sub-protocol: ocpp2.1, ocpp2.0.1 and ocpp1.6 are spoken")
            return
        self._open[charger_id] = link
        self._identity[link] = charger_id
        self._on_link(Arrival(charger_id, Version(chosen), admitted.security_profile, link))
        link.opened()

    def _refuse(self, link: WebSocketLink, charger_id: str | None, refused: Refused) -> None:
        self._note(link, charger_id, refused.status, refused.reason)
        link.answer(_response(link.machine, refused))

    def _note(self, link: WebSocketLink, charger_id: str | None, status: int, reason: str) -> None:
        self.refusals[status] += 1
        if self._on_refusal is not None:
            self._on_refusal(Refusal(charger_id, link.peer(), status, reason))

    async def _look_after(self) -> None:
        """Keep-alive of all links: one round serves them all, so that an idle link costs no timer."""
        round_s = min(_ROUND_S, self._settings.ping_interval_s / _ROUNDS_PER_PING_INTERVAL)
        while True:
            await asyncio.sleep(round_s)
            now_s = self._loop.time()
            for link in list(self._open.values()):
                link.look_after(now_s)

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        task: asyncio.Task[None] = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._loop.call_exception_handler({"message": "a handshake failed", "exception": error})


def _response(machine: ServerProtocol, refused: Refused) -> Response:
    response = machine.reject(refused.status, refused.sentence + "\n")
    if refused.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="OCPP", charset="UTF-8"'
    if refused.retry_after_s is not None:
        response.headers["Retry-After"] = str(refused.retry_after_s)
    return response
