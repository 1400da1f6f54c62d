"""Bytes of strangers: every one is bounded in time and memory, and none costs another charger its link."""

import asyncio
import random
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from tests.io.ocpp.server.charging_station import (
    Backend,
    Go,
    backend,
    exchange,
    raw,
    request,
    upgraded,
)
from tests.io.ocpp.server.wire import deliver


def frame(
    opcode: int, payload: bytes, *, final: bool = True, masked: bool = True, reserved: int = 0
) -> bytes:
    head = bytes([(0x80 if final else 0) | reserved | opcode])
    bit = 0x80 if masked else 0
    if len(payload) < 126:
        head += bytes([bit | len(payload)])
    elif len(payload) < 65_536:
        head += struct.pack("!BH", bit | 126, len(payload))
    else:
        head += struct.pack("!BQ", bit | 127, len(payload))
    if not masked:
        return head + payload
    key = b"\x37\xfa\x21\x3d"  # of RFC 6455 §5.7
    return head + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


async def close_code(reader: asyncio.StreamReader) -> int | None:
    """The code of the close frame that ends the stream; None where it ends without."""
    data = await asyncio.wait_for(reader.read(), 5)
    at = data.rfind(b"\x88")
    return None if at < 0 else int.from_bytes(data[at + 2 : at + 4], "big")


async def still_serves(station: Backend) -> None:
    async with station.connect("bystander") as client:
        assert await exchange(client, "[2]") == "answer:[2]"
    assert station.faults == []


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(2, b"binary"), 1003),
        (frame(1, b"\xff\xfe"), 1007),
        (frame(1, b"text", masked=False), 1002),
        (frame(1, b"text", reserved=0x40), 1002),
        (frame(1, b"text", reserved=0x20), 1002),
        (frame(3, b"unknown opcode"), 1002),
        (frame(0, b"continuation of nothing"), 1002),
        (frame(1, b"a", final=False) + frame(1, b"b"), 1002),
        (frame(9, b"x" * 126), 1002),
        (frame(8, b"\x00"), 1002),
        (b"\x81\xff" + (2**63 - 1).to_bytes(8, "big") + b"mask", 1009),
        (b"\x81\xff" + (1_048_577).to_bytes(8, "big") + b"mask", 1009),
        (frame(1, b"x" * 600_000, final=False) + frame(0, b"x" * 600_000), 1009),
    ],
    ids=[
        "binary",
        "not UTF-8",
        "not masked",
        "compressed without agreement",
        "reserved bit",
        "unknown opcode",
        "continuation of nothing",
        "text inside a message",
        "long ping",
        "short close",
        "endless length",
        "one byte too long",
        "fragments too long",
    ],
)
def test_a_broken_frame_closes_the_link_as_the_standard_says(
    go: Go, tmp_path: Path, sent: bytes, code: int
) -> None:
    """RFC 6455 §5.1, §5.2, §5.4, §5.5, §7.4.1."""

    async def run() -> None:
        async with backend(tmp_path / "c") as station:
            reader, writer = await upgraded(station.port, "CS001")
            writer.write(sent)
            assert await close_code(reader) == code
            assert [end.code for end in station.ends] == [code]
            assert station.frames == []
            writer.close()
            await still_serves(station)

    go(run())


def test_a_handler_that_fails_costs_its_own_link_only(go: Go, tmp_path: Path) -> None:
    async def run() -> None:
        async with backend(tmp_path / "c") as station, station.connect("CS002") as other:
            async with station.connect("CS001") as client:
                await client.send("crash")
                with pytest.raises(ConnectionClosed) as closed:
                    await client.recv()
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1011
            assert [str(fault["exception"]) for fault in station.faults] == ["b'crash'"]
            assert await exchange(other, "[2]") == "answer:[2]"

    go(run())


@given(texts=st.lists(st.text(max_size=300), min_size=1, max_size=8), seed=st.integers(0, 2**32))
def test_frames_arrive_whole_and_in_order_however_they_are_cut(texts: list[str], seed: int) -> None:
    """Fragmented or not, with pings between, in pieces of any size."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    stream = b""
    for text in texts:
        payload = text.encode()
        cut = chance.randrange(len(payload) + 1)
        if chance.random() < 0.5:
            stream += frame(1, payload)
        else:
            stream += (
                frame(1, payload[:cut], final=False) + frame(9, b"?") + frame(0, payload[cut:])
            )
    pieces = []
    while stream:
        size = chance.choice((1, 2, 3, 7, 50, 1000))
        pieces.append(stream[:size])
        stream = stream[size:]
    assert deliver(pieces) == [text.encode() for text in texts]


@pytest.mark.parametrize("seed", range(20))
def test_garbage_ends_in_time_and_harms_nobody(go: Go, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret

    async def run() -> None:
        async with backend(tmp_path / "c", handshake_timeout_s=0.3, partial_frame_s_max=0.3, ping_interval_s=0.1,
                           silence_s_max=0.5, close_timeout_s=0.2) as station:  # fmt: skip
            for opened in (False, True):
                reader, writer = await (
                    upgraded(station.port, "CS001") if opened else raw(station.port)
                )
                writer.write(chance.randbytes(chance.randrange(1, 40_000)))
                with suppress(ConnectionResetError):
                    await asyncio.wait_for(reader.read(), 5)
                writer.close()
            await still_serves(station)

    go(run())


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET ",
        request("CS001")[:-2],
        b"GET /" + b"a" * 5_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
    ],
    ids=["nothing", "method", "no blank line", "path", "TLS"],
)
def test_a_handshake_that_does_not_end_is_cut_off(go: Go, tmp_path: Path, begun: bytes) -> None:
    async def run() -> None:
        async with backend(tmp_path / "c", handshake_timeout_s=0.2) as station:
            reader, writer = await raw(station.port)
            writer.write(begun)
            with suppress(ConnectionResetError):
                await asyncio.wait_for(reader.read(), 3)
            writer.close()
            await still_serves(station)

    go(run())


def test_a_handshake_byte_by_byte_is_cut_off_all_the_same(go: Go, tmp_path: Path) -> None:
    async def run() -> None:
        async with backend(tmp_path / "c", handshake_timeout_s=0.3) as station:
            reader, writer = await raw(station.port)

            async def trickle() -> None:
                for byte in request("CS001"):
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0.02)
                await reader.readexactly(1)

            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await trickle()
            writer.close()
            assert station.arrivals == []

    go(run())


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 426),
        (request("CS001").replace(b"GET", b"POST"), 405),
        (request("CS001").replace(b"Version: 13", b"Version: 12"), 400),
        (request("CS001").replace(b"x3JJHMbDL1EzLkh9GBhXDw==", b"short"), 400),
        (request("CS001", "X-Long: " + "x" * 9_000), 431),
        (request("CS001", *(f"X-{at}: {'x' * 900}" for at in range(20))), 431),
        (request("CS001", *(f"X-{at}: x" for at in range(200))), 431),
        (request("x" * 9_000), 414),
        (request("CS001") + b"\x81\x82\0\0\0\0[]", 400),
    ],
    ids=[
        "no WebSocket",
        "POST",
        "old version",
        "short key",
        "long header",
        "much in headers",
        "many headers",
        "long path",
        "frame too early",
    ],
)
def test_a_bad_request_is_answered_and_bounded(
    go: Go, tmp_path: Path, sent: bytes, status: int
) -> None:
    async def run() -> None:
        async with backend(tmp_path / "c") as station:
            reader, writer = await raw(station.port)
            writer.write(sent)
            line = await asyncio.wait_for(reader.readline(), 5)
            assert line.split()[1] == str(status).encode()
            writer.close()
            assert station.arrivals == []
            await still_serves(station)

    go(run())


def test_a_frame_that_does_not_end_is_closed(go: Go, tmp_path: Path) -> None:
    async def run() -> None:
        async with backend(tmp_path / "c", partial_frame_s_max=0.3, ping_interval_s=0.4) as station:
            reader, writer = await upgraded(station.port, "CS001")
            writer.write(b"\x81\xfe\x40\x00mask")

            async def trickle() -> None:
                while True:
                    writer.write(b"x")
                    await asyncio.sleep(0.05)

            task = asyncio.create_task(trickle())
            assert await close_code(reader) == 1008
            task.cancel()
            writer.close()

    go(run())


def test_a_charger_that_does_not_read_is_cut_off_within_its_bound(go: Go, tmp_path: Path) -> None:
    async def run() -> None:
        async with backend(tmp_path / "c", unread_bytes_max=200_000) as station:
            _, writer = await upgraded(station.port, "CS001")
            link = station.arrivals[0].link
            sent = 0
            while not station.ends and sent < 1_000:
                link.send(b"x" * 60_000)
                sent += 1
                await asyncio.sleep(0)
            assert [end.reason for end in station.ends] == ["it does not read what it is sent"]
            link.send(b"after the end")
            assert not await link.ping(0.1)
            writer.close()

    go(run())


def test_many_frames_can_be_sent_in_one_turn_of_the_loop(go: Go, tmp_path: Path) -> None:
    async def run() -> None:
        async with backend(tmp_path / "c") as station, station.connect("CS001") as client:
            for number in range(1_000):
                station.arrivals[0].link.send(str(number).encode() * 10)
            assert [await client.recv() for _ in range(1_000)] == [
                str(number) * 10 for number in range(1_000)
            ]

    go(run())


def test_one_that_floods_is_read_at_its_rate_and_the_others_at_theirs(
    go: Go, tmp_path: Path
) -> None:
    async def run() -> None:
        async with backend(tmp_path / "c", frames_per_s=100.0, frames_burst=50) as station:
            _, writer = await upgraded(station.port, "CS001")
            writer.write(frame(1, b"flood") * 20_000)
            started_s = asyncio.get_running_loop().time()
            async with station.connect("CS002") as other:
                while asyncio.get_running_loop().time() - started_s < 0.5:
                    assert await exchange(other, "[2]") == "answer:[2]"
                    await asyncio.sleep(0.02)
            # What one read of the socket brings is delivered whole; the rest waits in the sender.
            assert station.frames.count(b"flood") < 262_144 / len(frame(1, b"flood")) + 200
            writer.close()

    go(run())


@pytest.mark.parametrize(
    "parameters", ["", "; client_max_window_bits", "; client_no_context_takeover"]
)
def test_compressed_frames_are_read(go: Go, tmp_path: Path, parameters: str) -> None:
    async def run() -> None:
        async with backend(tmp_path / "c") as station:
            reader, writer = await raw(station.port)
            writer.write(
                request("CS001", "Sec-WebSocket-Extensions: permessage-deflate" + parameters)
            )
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            assert b"server_no_context_takeover" in head
            assert b"server_max_window_bits=12" in head
            deflate = zlib.compressobj(wbits=-9)
            payload = deflate.compress(b"[2]" * 100) + deflate.flush(zlib.Z_SYNC_FLUSH)
            writer.write(frame(1, payload[:-4], reserved=0x40))
            await reader.readexactly(4 + 307)
            assert station.frames == [b"[2]" * 100]
            writer.close()

    go(run())


def test_a_strangers_compression_works_both_ways_and_a_bomb_is_bounded(
    go: Go, tmp_path: Path
) -> None:
    async def run() -> None:
        async with (
            backend(tmp_path / "c") as station,
            station.connect("CS001", compression="deflate") as client,
        ):
            for size in (10, 1_000, 100_000):
                text = "Parkwatt " * size
                assert await exchange(client, text) == "answer:" + text
            await client.send("0" * 50_000_000)
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(client.recv(), 10)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009

    go(run())


def test_without_an_offer_nothing_is_compressed(go: Go, tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            backend(tmp_path / "c") as station,
            station.connect("CS001", compression=None) as client,
        ):
            assert await exchange(client, "x" * 5_000) == "answer:" + "x" * 5_000
            assert client.response is not None
            assert "Sec-WebSocket-Extensions" not in client.response.headers

    go(run())
