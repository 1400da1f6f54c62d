"""A link over a WebSocket: `asyncio.Protocol` around the protocol machine of `websockets`.

The machine (RFC 6455, RFC 7692) does the handshake, control frames, fragments, compression and every error. It is given one
whole WebSocket frame at a time, so it never holds part of one, and the most frequent frame (unfragmented, uncompressed text)
is unmasked here without it: 14 instead of 23 µs for a message and its answer.

Bounds: a frame longer than `frame_bytes_max` closes the link (1009), one that does not end in time too (1008); a charger that
does not read what it is sent is cut off; one that sends faster than its rate is not read for as long as it takes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import cast

from websockets.exceptions import InvalidState
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from parkwatt.io.ocpp.server.identity import choose_version
from parkwatt.io.ocpp.server.link import Closed, OnClosed, OnFrame
from parkwatt.io.ocpp.server.rates import TokenBucket
from parkwatt.io.ocpp.server.settings import ListenerSettings

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

_WHOLE_TEXT = 0x81  # final, no reserved bit, text
_SHORT_HEADS = tuple(bytes((_WHOLE_TEXT, length)) for length in range(126))
_MASKED_16_BIT_LENGTH = 0x80 | 126
_MASKED_64_BIT_LENGTH = 0x80 | 127
_REASON_BYTES_MAX = 123  # a control frame holds 125 bytes, two are the code
_COMPRESSED_FROM_BYTES = 512  # below, a message alone hardly shrinks
_BYTES_PER_TOKEN = 16_384
_LINGER_S = 0.5

# Windows of 4 kB. The compressor's is thrown away after each message, so that an idle link holds none.
_DEFLATE = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True,
    server_max_window_bits=12,
    client_max_window_bits=12,
    compress_settings={"memLevel": 4},
)
# The machine's own log tells bytes of strangers; what matters here is told by `Closed` and `Refused`.
_SILENT = logging.getLogger("parkwatt.io.ocpp.server.websocket")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False
_SILENT.setLevel(logging.CRITICAL)


class _State(Enum):
    HANDSHAKE = auto()
    OPEN = auto()
    CLOSING = auto()
    ENDED = auto()


# By name, since looking an enumeration's member up takes longer than reading a frame's header.
_HANDSHAKE, _OPEN, _CLOSING, _ENDED = _State


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all links of a listener share. ``on_request`` decides on a handshake and answers it; ``on_lost`` hears the end."""

    settings: ListenerSettings
    loop: asyncio.AbstractEventLoop
    frames_in_all: TokenBucket
    on_made: Callable[[WebSocketLink], bool]
    on_request: Callable[[WebSocketLink, Request], None]
    on_lost: Callable[[WebSocketLink], None]


class WebSocketLink(asyncio.Protocol):
    """One charger's connection, from the first byte on. `parkwatt.io.ocpp.server.link.Link` once it is open."""

    __slots__ = (
        "_around", "_closed", "_deflates", "_frames", "_has_answered_ping", "_is_reading", "_is_writing_paused",
        "_life", "_message", "_on_closed", "_on_frame", "_partial", "_partial_since_s", "_peer",
        "_pinged_s", "_state", "_timer", "_transport", "heard_s", "machine",
    )  # fmt: skip

    def __init__(self, around: Surroundings) -> None:
        """A link that waits for its connection."""
        self._around = around
        settings = around.settings
        self.machine = ServerProtocol(
            extensions=[_DEFLATE] if settings.compression else None,
            select_subprotocol=_select_subprotocol,
            max_size=settings.frame_bytes_max,
            logger=_SILENT,
        )
        self.heard_s = around.loop.time()
        self._frames = TokenBucket(settings.frames_per_s, settings.frames_burst, self.heard_s)
        self._state = _HANDSHAKE
        self._partial: bytearray | None = None
        self._partial_since_s = 0.0
        self._message: bytearray | None = None
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None
        self._closed: Closed | None = None
        self._on_frame: OnFrame | None = None
        self._on_closed: OnClosed | None = None
        self._life: asyncio.Future[None] | None = None
        self._pinged_s: float | None = None
        self._has_answered_ping = False
        self._is_reading = True
        self._is_writing_paused = False
        self._deflates = False
        self._peer = "?"

    # The five methods of a link.

    def listen(self, on_frame: OnFrame, on_closed: OnClosed) -> None:
        """Say who gets the frames and the end."""
        self._on_frame = on_frame
        self._on_closed = on_closed

    def send(self, frame: bytes) -> None:
        """Send a text frame without waiting."""
        if self._state is not _OPEN:
            return
        length = len(frame)
        if self._deflates and length >= _COMPRESSED_FROM_BYTES:
            self.machine.send_text(frame)
            self._flush()
            return
        if length < 126:
            head = _SHORT_HEADS[length]
        elif length < 65_536:
            head = bytes((_WHOLE_TEXT, 126)) + length.to_bytes(2, "big")
        else:
            head = bytes((_WHOLE_TEXT, 127)) + length.to_bytes(8, "big")
        self._write(head + frame)

    async def ping(self, timeout_s: float) -> bool:
        """Whether there was a sign of life within ``timeout_s`` of asking."""
        if self._state is not _OPEN:
            return False
        self._resume()  # while its rate rests, its signs of life would not be read
        if self._life is None or self._life.done():
            self._life = self._around.loop.create_future()
        self._send_ping(self._around.loop.time())
        done, _ = await asyncio.wait((self._life,), timeout=timeout_s)
        return bool(done) and self._state is _OPEN

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close politely, and cut off after `close_timeout_s`."""
        self._close(code, reason, self._around.settings.close_timeout_s)

    def peer(self) -> str:
        """The charger's address."""
        return self._peer

    # What the listener asks of it.

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection is under TLS."""
        return self._transport.get_extra_info("sslcontext") is not None

    @property
    def certificate(self) -> dict[str, object] | None:
        """The charger's verified certificate, as `ssl` tells it."""
        return cast("dict[str, object] | None", self._transport.get_extra_info("peercert"))

    @property
    def host(self) -> str:
        """The charger's network address without the port."""
        return self._peer.rpartition(":")[0].removeprefix("[").removesuffix("]")

    @property
    def is_waiting(self) -> bool:
        """Whether the connection is there and its handshake is not answered yet."""
        return self._state is _HANDSHAKE and not self._transport.is_closing()

    def answer(self, response: Response) -> None:
        """Answer the handshake: 101 opens the link, anything else ends it."""
        if not self.is_waiting:
            return
        self._disarm()
        self.machine.send_response(response)
        if response.status_code != 101:
            self._flush()
            self._expect_end(Closed(1006, f"refused with {response.status_code}", by_charger=False))
            return
        self._state = _OPEN
        self._deflates = bool(self.machine.extensions)
        self._flush()

    def opened(self) -> None:
        """Read on, after the handshake was answered and someone listens."""
        self._resume()

    def cut_off(self, reason: str) -> None:
        """End at once, without a closing handshake."""
        if self._state is _ENDED:
            return
        self._note(Closed(1006, reason, by_charger=False))
        self._transport.abort()
        self._end()

    def look_after(self, now_s: float) -> None:
        """Ask an idle charger for a sign of life; give up one that is silent too long or does not finish a frame."""
        if self._state is not _OPEN:
            return
        settings = self._around.settings
        silence_s = now_s - self.heard_s
        patience_s = settings.ping_timeout_s if self._has_answered_ping else settings.silence_s_max
        if not self._is_reading:
            return
        if silence_s > patience_s:
            self.cut_off(f"no sign of life for {silence_s:.0f} s")
        elif self._partial and now_s - self._partial_since_s > settings.partial_frame_s_max:
            self._fail(1008, "a frame did not end in time")
        elif silence_s >= settings.ping_interval_s and (
            self._pinged_s is None or now_s - self._pinged_s >= settings.ping_interval_s
        ):
            self._send_ping(now_s)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection stands (under TLS: its handshake is done)."""
        self._transport = cast("asyncio.Transport", transport)
        address = transport.get_extra_info("peername")
        if isinstance(address, tuple):
            host = f"[{address[0]}]" if ":" in address[0] else address[0]
            self._peer = f"{host}:{address[1]}"
        timeout_s = self._around.settings.handshake_timeout_s
        self._timer = self._around.loop.call_later(
            timeout_s, self.cut_off, "the handshake did not end in time"
        )
        if not self._around.on_made(self):
            self.cut_off("too many connections")

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        sent = self.machine.close_rcvd
        if sent is not None:
            self._note(Closed(sent.code, sent.reason, by_charger=True))
        reason = (
            "the connection broke off"
            if exc is None
            else f"the connection broke off: {type(exc).__name__}"
        )
        self._note(Closed(1006, reason, by_charger=True))
        self._end()

    def eof_received(self) -> None:
        """The charger ended its side: the transport closes itself."""

    def pause_writing(self) -> None:
        """The charger reads slower than it is written to."""
        self._is_writing_paused = True

    def resume_writing(self) -> None:
        """The charger has read."""
        self._is_writing_paused = False

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._state is _HANDSHAKE:
            self._read_handshake(data)
            return
        is_open = self._state is _OPEN
        if not is_open and self.machine.eof_sent:
            return  # it has failed: what still comes is not heard (RFC 6455 §7.1.7)
        self.heard_s = self._around.loop.time()
        if self._life is not None and not self._life.done():
            self._life.set_result(None)
        if self._partial is not None:
            self._partial += data
            self._read(self._partial)
        elif is_open and self._message is None and (head := _single_text_head(data)):
            self._deliver(apply_mask(data[head:], data[head - 4 : head]))
            self._charge(1.0 + len(data) // _BYTES_PER_TOKEN)
        else:
            self._read(data)

    # Reading

    def _read_handshake(self, data: bytes) -> None:
        buffered = len(self.machine.reader.buffer) + len(data)
        if buffered > self._around.settings.header_bytes_max:
            self.answer(self.machine.reject(431, "The request is too long.\n"))
            return
        self.machine.receive_data(data)
        self._flush()
        for event in self.machine.events_received():
            if isinstance(event, Request):
                if not data.endswith(b"\n"):
                    self.answer(
                        self.machine.reject(
                            400, "Nothing may follow the request until it is answered.\n"
                        )
                    )
                    return
                self._pause()
                self._around.on_request(self, event)
                return
        if self.machine.close_expected():
            self._expect_end(Closed(1006, "no valid HTTP request", by_charger=False))

    def _read(self, data: bytes | bytearray) -> None:
        """Take whole frames off ``data``; keep the rest."""
        start, cost = 0, 0.0
        bytes_max = self._around.settings.frame_bytes_max
        while self._state is _OPEN or self._state is _CLOSING:
            stop = _frame_end(data, start, bytes_max)
            if stop is None:
                break
            cost += self._read_by_machine(bytes(data[start:stop]))
            start = stop
        self._keep(data, start)
        self._charge(max(cost, 1.0))

    def _keep(self, data: bytes | bytearray, start: int) -> None:
        if start == len(data) or self._state in (_ENDED, _CLOSING):
            self._partial = None
            return
        if self._partial is None or start:
            self._partial_since_s = self.heard_s
            self._partial = bytearray(data[start:] if start else data)

    def _read_by_machine(self, frame: bytes) -> float:
        """Give the machine one whole frame (or one that it will refuse); the cost of what it made of it."""
        self.machine.receive_data(frame)
        self._flush()
        cost = 1.0
        for event in self.machine.events_received():
            if isinstance(event, Frame):
                cost += len(event.data) // _BYTES_PER_TOKEN
                self._take(event)
        if self.machine.close_expected() and self._state is _OPEN:
            ended = self.machine.close_rcvd or self.machine.close_sent
            by_charger = self.machine.close_rcvd is not None
            code, reason = (1006, "") if ended is None else (ended.code, ended.reason)
            self._expect_end(Closed(code, reason, by_charger=by_charger))
        return cost

    def _take(self, frame: Frame) -> None:
        if frame.opcode is Opcode.PONG:
            self._has_answered_ping = self._has_answered_ping or self._pinged_s is not None
        elif self._state is not _OPEN:
            return
        elif frame.opcode is Opcode.BINARY:
            self._fail(1003, "only text frames are spoken")
        elif frame.opcode is Opcode.TEXT:
            if frame.fin:
                self._deliver(bytes(frame.data))
            else:
                self._message = bytearray(frame.data)
        elif frame.opcode is Opcode.CONT and self._message is not None:
            self._message += frame.data
            if frame.fin:
                whole, self._message = bytes(self._message), None
                self._deliver(whole)

    def _deliver(self, payload: bytes) -> None:
        if not payload.isascii():
            try:
                payload.decode()
            except UnicodeDecodeError:
                self._fail(1007, "not UTF-8")
                return
        if self._on_frame is None:
            self._fail(1011, "nobody listens")
            return
        try:
            self._on_frame(payload)
        except Exception as error:  # noqa: BLE001 - one charger's frame must not end the others' service
            self._around.loop.call_exception_handler(
                {
                    "message": "a charger's frame was not handled",
                    "exception": error,
                    "peer": self._peer,
                }
            )
            self._fail(1011, "internal error")

    def _charge(self, cost: float) -> None:
        """Let reading rest where this charger, or all together, sent faster than their rate."""
        now_s = self.heard_s
        own_s = self._frames.spend(cost, now_s)
        all_s = self._around.frames_in_all.spend(cost, now_s)
        if (own_s or all_s) and self._state is _OPEN and self._is_reading:
            self._pause()
            self._timer = self._around.loop.call_later(max(own_s, all_s), self._resume)

    def _pause(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._transport.pause_reading()

    def _resume(self) -> None:
        if not self._is_reading and not self._transport.is_closing():
            self._is_reading = True
            self._transport.resume_reading()
            self.heard_s = max(self.heard_s, self._around.loop.time())

    # Writing and ending

    def _send_ping(self, now_s: float) -> None:
        self._pinged_s = now_s
        try:
            self.machine.send_ping(b"")
        except InvalidState:
            return
        self._flush()

    def _flush(self) -> None:
        for data in self.machine.data_to_send():
            if data:
                self._write(data)
            elif self.machine.close_rcvd is not None or self._state is _HANDSHAKE:
                self._transport.close()  # sends what is buffered first

    def _write(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(data)
        if (
            self._is_writing_paused
            and self._transport.get_write_buffer_size() > self._around.settings.unread_bytes_max
        ):
            self.cut_off("it does not read what it is sent")

    def _fail(self, code: int, reason: str) -> None:
        """Close because of what the charger sent (RFC 6455 §7.1.7), without much patience."""
        self._close(code, reason, _LINGER_S)

    def _close(self, code: int, reason: str, timeout_s: float) -> None:
        if self._state is not _OPEN:
            return
        reason = reason.encode()[:_REASON_BYTES_MAX].decode(errors="ignore")
        self.machine.send_close(code, reason)
        self._flush()
        self._expect_end(Closed(code, reason, by_charger=False), timeout_s)

    def _expect_end(self, closed: Closed, timeout_s: float = _LINGER_S) -> None:
        """Wait for the charger to end the connection, and cut it off in time.

        To end it at once would reset it while the charger still sends, and it would never read why.
        """
        self._note(closed)
        if self._state is _ENDED:
            return
        self._state = _CLOSING
        self._disarm()
        self._timer = self._around.loop.call_later(timeout_s, self._transport.abort)
        self._resume()

    def _note(self, closed: Closed) -> None:
        if self._closed is None:
            self._closed = closed

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        """Tell, once, that it is over."""
        if self._state is _ENDED:
            return
        self._state = _ENDED
        self._disarm()
        self._partial = self._message = None
        if self._life is not None and not self._life.done():
            self._life.set_result(None)
        self._around.on_lost(self)
        on_closed, self._on_frame, self._on_closed = self._on_closed, None, None
        if on_closed is not None and self._closed is not None:
            on_closed(self._closed)


def _single_text_head(data: bytes) -> int:
    """Where the payload begins, if ``data`` is one whole masked text frame below 64 kB and nothing else; otherwise 0."""
    size = len(data)
    if size < 8 or data[0] != _WHOLE_TEXT:
        return 0
    length = data[1]
    if length == _MASKED_16_BIT_LENGTH:
        return 8 if size == 8 + (data[2] << 8 | data[3]) else 0
    return 6 if size == length - 0x80 + 6 else 0


def _frame_end(data: bytes | bytearray, start: int, bytes_max: int) -> int | None:
    """Where the frame at ``start`` ends; None while it is not complete.

    One that is not masked or too long ends after its header: that is enough for the machine to refuse it.
    """
    available = len(data) - start
    if available < 2:
        return None
    length = data[start + 1]
    head = start + 2
    if length < 0x80:
        return head
    wide = {_MASKED_16_BIT_LENGTH: 2, _MASKED_64_BIT_LENGTH: 8}.get(length, 0)
    if available < 2 + wide + 4:
        return None
    payload = int.from_bytes(data[head : head + wide], "big") if wide else length - 0x80
    end = head + wide + 4
    if payload > bytes_max:
        return end
    end += payload
    return end if end <= len(data) else None


def _select_subprotocol(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """The highest version both speak; without one the handshake goes on and the link is closed after it (Part 4 §3.3)."""
    version = choose_version(offered)
    return None if version is None else Subprotocol(version.value)
