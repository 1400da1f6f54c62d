"""Chargers that are only sockets: thousands of OCPP 2.0.1 links in one process, at the cost of a few µs a message.

Each link asks one thing at a time, as a charger does, and asks the next as soon as it is answered (or after a
pause). The frames are ready-made text with a few numbers filled in, masked with 0, which leaves them as they are: the
generator must be cheaper than what it loads. Run as a process of its own:

    python -m benchmarks.ocpp_load.generator '{"port": 9000, "links": 1000, "mode": "updates", "seconds": 5}'

prints one line of JSON: answers a second, quantiles of the time to the answer, errors.
"""

import asyncio
import base64
import gc
import json
import os
import resource
import struct
import sys
import time
from typing import Any

import uvloop

_UPGRADE = (
    "GET /{id} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ocpp2.0.1\r\n"
    "{extension}\r\n"
)
_DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
_BOOT = (
    '[2,"{n}","BootNotification",{{"reason":"PowerUp","chargingStation":'
    '{{"model":"Load","vendorName":"Parkwatt"}}}}]'
)
_SAMPLES = ",".join(
    f'{{"value":{value},"measurand":"{measurand}","context":"Sample.Periodic","location":"Outlet",'
    f'"unitOfMeasure":{{"unit":"{unit}"}}}}'
    for value, measurand, unit in (
        (7200.5, "Power.Active.Import", "W"),
        (123456.7, "Energy.Active.Import.Register", "Wh"),
        (31.2, "Current.Import", "A"),
        (230.1, "Voltage", "V"),
        (55, "SoC", "Percent"),
        (0, "Energy.Active.Export.Register", "Wh"),
    )
)
_EVENT = (
    '[2,"{n}","TransactionEvent",{{"eventType":"{phase}","timestamp":"2026-11-22T{h:02}:{m:02}:{s:02}.{ms:03}Z",'
    '"triggerReason":"{trigger}","seqNo":{n},"transactionInfo":{{"transactionId":"{tx}","chargingState":"Charging"}},'
    '"evse":{{"id":1,"connectorId":1}}{token}{meter}}}]'
)


def frame(text: str) -> bytes:
    """A text frame as a client sends it, with a mask of 0."""
    payload = text.encode()
    length = len(payload)
    if length < 126:
        return struct.pack("!BBI", 0x81, 0x80 | length, 0) + payload
    return struct.pack("!BBHI", 0x81, 0x80 | 126, length, 0) + payload


def event(transaction_id: str, number: int, phase: str) -> bytes:
    """A TransactionEvent: an update has six sampled values, a start has a token."""
    seconds, ms = divmod(number, 1000)
    minutes, s = divmod(seconds, 60)
    hours, m = divmod(minutes, 60)
    values = (
        f',"meterValue":[{{"timestamp":"2026-11-22T{hours % 24:02}:{m:02}:{s:02}.{ms:03}Z",'
        f'"sampledValue":[{_SAMPLES}]}}]'
    )
    return frame(
        _EVENT.format(
            n=number,
            phase=phase,
            h=hours % 24,
            m=m,
            s=s,
            ms=ms,
            trigger="MeterValuePeriodic" if phase == "Updated" else "Authorized",
            tx=transaction_id,
            token=',"idToken":{"idToken":"LOAD","type":"Central"}' if phase == "Started" else "",
            meter=values if phase == "Updated" else "",
        )
    )


def _bounds(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the payload of the server's frame at ``at`` begins and ends; None where it is not all there yet."""
    if len(data) - at < 10 and (len(data) - at < 2 or (data[at + 1] > 125 and len(data) - at < 4)):
        return None
    length, head = data[at + 1], 2
    if length == 126:
        length, head = (data[at + 2] << 8) | data[at + 3], 4
    elif length == 127:
        length, head = int.from_bytes(data[at + 2 : at + 10], "big"), 10
    end = at + head + length
    return (at + head, end) if end <= len(data) else None


class Load:
    """What all links share: the mode, the counts, the times."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.mode: str = settings["mode"]
        self.pause_s: float = settings.get("pause_s", 0.0)
        self.deflate: bool = settings.get("deflate", False)
        self.started = asyncio.Event()
        self.up = 0
        self.answers = 0
        self.errors = 0
        self.calls = 0
        self.first_call_s = 0.0
        self.last_call_s = 0.0
        self.running = False
        self.times_s: list[float] = []


class Link(asyncio.Protocol):
    """One charger."""

    def __init__(self, load: Load, name: str, port: int) -> None:
        self.load = load
        self.name = name
        self.port = port
        self.number = 0
        self.asked_s = 0.0
        self.buffer = b""
        self.upgraded = False
        self.booted = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self.transport = transport  # type: ignore[assignment]
        key = base64.b64encode(os.urandom(16)).decode()
        extension = _DEFLATE if self.load.deflate else ""
        request = _UPGRADE.format(id=self.name, port=self.port, key=key, extension=extension)
        self.write(request.encode())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 asyncio's own name
        """A link that goes while it is used is an error."""
        if self.upgraded and self.load.running:
            self.load.errors += 1

    def write(self, data: bytes) -> None:
        """Send."""
        if self.transport is not None:
            self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        """Take frames apart; what matters of one is its type and whose answer it is."""
        if self.buffer:
            data = self.buffer + data
        if not self.upgraded:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self.buffer = data
                return
            if not data.startswith(b"HTTP/1.1 101"):
                self.load.errors += 1
                return
            self.upgraded = True
            data = data[end + 4 :]
            self.ask(_BOOT.format(n=0))
        at = 0
        while (bounds := _bounds(data, at)) is not None:
            begin, end = bounds
            opcode = data[at] & 0x0F
            if opcode == 1:
                self.frame_received(data[begin:end])
            elif opcode == 9:
                self.write(b"\x8a\x80\x00\x00\x00\x00")
            at = end
        self.buffer = data[at:]

    def frame_received(self, payload: bytes) -> None:
        """An answer asks the next; a call of the server is accepted."""
        load = self.load
        kind = payload[1]
        if kind == 0x32:  # a call
            now_s = time.perf_counter()
            load.calls += payload.find(b"SetChargingProfile") > 0
            load.first_call_s = load.first_call_s or now_s
            load.last_call_s = now_s
            message_id = payload[
                payload.index(b'"') + 1 : payload.index(b'"', payload.index(b'"') + 1)
            ]
            self.write(frame(f'[3,"{message_id.decode()}",{{"status":"Accepted"}}]'))
            return
        if not self.booted:
            self.booted = True
            load.up += 1
            return
        now_s = time.perf_counter()
        load.answers += 1
        load.errors += kind != 0x33
        load.times_s.append(now_s - self.asked_s)
        if load.running and load.mode == "updates":
            if load.pause_s:
                asyncio.get_running_loop().call_later(load.pause_s, self.next)
            else:
                self.next()

    def ask(self, text: str) -> None:
        """Send a call."""
        self.asked_s = time.perf_counter()
        self.write(frame(text))

    def next(self) -> None:
        """The next report of the transaction."""
        if not self.load.running:
            return
        self.number += 1
        phase = "Started" if self.number == 1 else "Updated"
        data = event(f"{self.name}-1", self.number, phase)
        self.asked_s = time.perf_counter()
        self.write(data)


async def fan(load: Load, links: list[Link]) -> dict[str, float]:
    """Start a transaction at each link, then wait for a set-point to all of them, and say how long it took to come."""
    load.running = True
    for link in links:
        link.next()
    while load.answers < len(links):
        await asyncio.sleep(0.01)
    await asyncio.sleep(5.0)  # what is asked after a boot and a start is over
    load.calls, load.first_call_s = 0, 0.0
    print(json.dumps({"ready": len(links)}), flush=True)
    begun_s = time.perf_counter()
    while load.calls < len(links) and time.perf_counter() - begun_s < 30.0:
        await asyncio.sleep(0.01)
    return {"calls": load.calls, "calls_spread_s": load.last_call_s - load.first_call_s}


async def main(settings: dict[str, Any]) -> dict[str, float]:
    """Connect all links, boot, load for a while, and say what came back."""
    load = Load(settings)
    port, count = settings["port"], settings["links"]
    loop = asyncio.get_running_loop()
    links: list[Link] = []
    started_s = time.perf_counter()
    for first in range(0, count, 200):
        made = await asyncio.gather(
            *(
                loop.create_connection(
                    lambda name=f"LOAD-{number}": Link(load, name, port),  # type: ignore[misc]
                    f"127.0.0.{1 + number // 20_000}",
                    port,
                )
                for number in range(first, min(first + 200, count))
            )
        )
        links += [protocol for _, protocol in made]
    while load.up < count and time.perf_counter() - started_s < 120.0:
        await asyncio.sleep(0.01)
    up_s = time.perf_counter() - started_s
    print(json.dumps({"up": load.up, "up_s": up_s}), flush=True)
    if settings["mode"] == "fan":
        return await fan(load, links)
    if settings.get("wait_for_line"):
        await loop.run_in_executor(None, sys.stdin.readline)
    gc.disable()
    load.running = True
    warm_s = settings.get("warm_s", 1.0)
    spread_s = load.pause_s
    for number, link in enumerate(links):
        if load.running:
            if spread_s:
                loop.call_later(spread_s * number / count, link.next)
            else:
                link.next()
    if settings["mode"] == "starts":
        begun_s = time.perf_counter()
        while load.answers < count and time.perf_counter() - begun_s < settings["seconds"]:
            await asyncio.sleep(0.002)
        took_s = time.perf_counter() - begun_s
    else:
        await asyncio.sleep(warm_s)
        load.answers, load.times_s = 0, []
        begun_s = time.perf_counter()
        await asyncio.sleep(settings["seconds"])
        took_s = time.perf_counter() - begun_s
    answers, times_s = load.answers, sorted(load.times_s)
    load.running = False
    quantile = {
        q: times_s[min(len(times_s) - 1, int(q * len(times_s)))] if times_s else 0.0
        for q in (0.5, 0.99)
    }
    return {
        "links": load.up,
        "answers": answers,
        "per_s": answers / took_s,
        "took_s": took_s,
        "p50_ms": 1e3 * quantile[0.5],
        "p99_ms": 1e3 * quantile[0.99],
        "errors": load.errors,
        "calls": load.calls,
        "calls_spread_s": load.last_call_s - load.first_call_s,
    }


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(json.dumps(uvloop.run(main(json.loads(sys.argv[1])))), flush=True)
