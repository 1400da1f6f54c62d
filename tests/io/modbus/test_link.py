"""The connection: how it asks, and how each way to fail is told."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from parkwatt.io.clock.warp_loop import run_warped
from parkwatt.io.modbus.link import ModbusError, ModbusLink, RefusedError
from parkwatt.io.sim.sunspec_meter import MeterShown, SunSpecServer
from tests.io.gateway.modbus_server import device
from tests.io.modbus.strangers import answering, pymodbus_server

Steps = Callable[[SunSpecServer, ModbusLink], Awaitable[None]]
MARKER = (0x5375, 0x6E53)


def with_device(steps: Steps) -> None:
    """Take the steps against a device of ours, on simulated time."""

    async def main() -> None:
        server = SunSpecServer(meter=lambda: MeterShown(power_kw=1.0))
        link = ModbusLink("127.0.0.1", await server.start())
        try:
            await steps(server, link)
        finally:
            link.close()
            await server.stop()

    run_warped(main())


async def marker(link: ModbusLink) -> tuple[int, ...]:
    """The first two registers."""
    return await link.read(1, "holding", 40_000, 2, timeout_s=3.0)


def test_it_reads_over_one_connection() -> None:
    async def steps(server: SunSpecServer, link: ModbusLink) -> None:
        for _ in range(5):
            assert await marker(link) == MARKER
        assert (server.connections, server.requests) == (1, 5)

    with_device(steps)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run, run_warped])
def test_it_reads_from_a_server_that_is_not_ours(run: Callable[..., None]) -> None:
    async def main() -> None:
        async with pymodbus_server({10: list(range(125)), 300: [9]}) as port:
            link = ModbusLink("127.0.0.1", port)
            assert await link.read(1, "holding", 10, 125, timeout_s=3.0) == tuple(range(125))
            assert await link.read(1, "input", 300, 1, timeout_s=3.0) == (9,)
            with pytest.raises(RefusedError, match="has no such register") as refused:
                await link.read(1, "holding", 500, 1, timeout_s=3.0)
            assert refused.value.not_there
            link.close()

    run(main())


def test_a_connection_closed_while_idle_is_opened_anew_without_a_word() -> None:
    async def steps(server: SunSpecServer, link: ModbusLink) -> None:
        await marker(link)
        server.cut()
        await asyncio.sleep(600.0)
        begun_s = asyncio.get_running_loop().time()
        assert await marker(link) == MARKER
        assert asyncio.get_running_loop().time() == begun_s
        assert server.connections == 2

    with_device(steps)


def test_a_device_that_closes_at_each_request_is_told_at_once() -> None:
    async def steps(server: SunSpecServer, link: ModbusLink) -> None:
        server.faults.drop = True
        begun_s = asyncio.get_running_loop().time()
        with pytest.raises(ModbusError, match="closed the connection"):
            await marker(link)
        assert asyncio.get_running_loop().time() == begun_s
        server.faults.drop = False
        assert await marker(link) == MARKER

    with_device(steps)


def test_a_device_that_hangs_is_left_after_the_timeout() -> None:
    async def steps(server: SunSpecServer, link: ModbusLink) -> None:
        server.faults.hang = True
        begun_s = asyncio.get_running_loop().time()
        with pytest.raises(ModbusError, match=r"no answer from .* within 3 s$"):
            await marker(link)
        assert asyncio.get_running_loop().time() == pytest.approx(begun_s + 3.0)
        server.faults.hang = False
        assert await marker(link) == MARKER

    with_device(steps)


def test_a_slow_answer_is_not_taken_for_the_next_one() -> None:
    async def steps(server: SunSpecServer, link: ModbusLink) -> None:
        server.faults.delay_s = 4.0
        with pytest.raises(ModbusError, match="no answer"):
            await marker(link)
        server.faults.delay_s = 2.0
        read = link.read(1, "holding", 40_002, 1, timeout_s=3.0)
        assert await read == (1,)

    with_device(steps)


def test_answers_to_other_requests_are_passed_over() -> None:
    async def steps(server: SunSpecServer, link: ModbusLink) -> None:
        server.faults.wrong_transaction = True
        with pytest.raises(ModbusError, match="only to other requests"):
            await marker(link)
        server.faults.wrong_transaction = False
        assert await marker(link) == MARKER

    with_device(steps)


def test_an_earlier_answer_before_the_right_one_is_passed_over() -> None:
    def answer(request: bytes) -> bytes:
        transaction = struct.unpack_from(">H", request)[0]
        late = struct.pack(">HHHBBBH", transaction + 7, 0, 5, 1, 3, 2, 111)
        return late + struct.pack(">HHHBBBH", transaction, 0, 5, 1, 3, 2, 222)

    async def main() -> None:
        async with answering(answer) as port:
            link = ModbusLink("127.0.0.1", port)
            for _ in range(3):
                assert await link.read(1, "holding", 0, 1, timeout_s=3.0) == (222,)
            link.close()

    run_warped(main())


def test_a_device_that_does_not_repeat_the_number_is_understood() -> None:
    async def main() -> None:
        answer = struct.pack(">HHHBBBH", 0, 0, 5, 1, 3, 2, 222)
        async with answering(lambda _: answer) as port:
            link = ModbusLink("127.0.0.1", port)
            assert await link.read(1, "holding", 0, 1, timeout_s=3.0) == (222,)
            link.close()

    run_warped(main())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no Modbus"),
        (struct.pack(">HHHBBB", 1, 0, 0, 1, 3, 2), "no Modbus"),
        (struct.pack(">HHHBBB", 1, 0, 3, 1, 3, 2), "does not fit"),
        (struct.pack(">HHHBBBH", 1, 0, 5, 1, 4, 2, 5), "does not fit"),
        (struct.pack(">HHHBBBHH", 1, 0, 7, 1, 3, 4, 5, 6), "does not fit"),
        (struct.pack(">HHHBBB", 1, 0, 3, 1, 0x83, 11), "the gateway gets no answer"),
        (struct.pack(">HHHBBB", 1, 0, 3, 1, 0x83, 99), "exception 99"),
        (struct.pack(">HHHBBBH", 1, 0, 5, 2, 3, 2, 5), "only to other requests"),
    ],
)
def test_each_wrong_answer_is_told(answer: bytes, words: str) -> None:
    async def main() -> None:
        async with answering(lambda _: answer) as port:
            link = ModbusLink("127.0.0.1", port)
            with pytest.raises(ModbusError, match=words):
                await link.read(1, "holding", 0, 1, timeout_s=3.0)
            link.close()

    run_warped(main())


def test_garbage_is_told_and_forgotten() -> None:
    async def steps(server: SunSpecServer, link: ModbusLink) -> None:
        server.faults.garbage = True
        for _ in range(3):
            with pytest.raises(ModbusError, match="no Modbus"):
                await marker(link)
        server.faults.garbage = False
        assert await marker(link) == MARKER

    with_device(steps)


def test_where_nothing_listens_is_told() -> None:
    async def steps(server: SunSpecServer, link: ModbusLink) -> None:
        await server.stop()
        with pytest.raises(ModbusError, match="refuses the connection: is Modbus TCP switched on"):
            await marker(link)

    with_device(steps)


def test_a_name_that_nobody_knows_is_told() -> None:
    async def main() -> None:
        link = ModbusLink("meter.invalid", 502)
        with pytest.raises(ModbusError, match=r"the name meter\.invalid is not known"):
            await link.read(1, "holding", 0, 1, timeout_s=30.0)

    run_warped(main())


def test_an_abandoned_read_leaves_nothing_behind() -> None:
    async def steps(server: SunSpecServer, link: ModbusLink) -> None:
        server.faults.delay_s = 1.0
        read = asyncio.create_task(marker(link))
        await asyncio.sleep(0.5)
        read.cancel()
        with pytest.raises(asyncio.CancelledError):
            await read
        assert await link.read(1, "holding", 40_002, 1, timeout_s=3.0) == (1,)
        assert server.connections == 2

    with_device(steps)


def test_a_device_with_one_connection_is_left_by_its_reader() -> None:
    async def steps(server: SunSpecServer, link: ModbusLink) -> None:
        server.faults.one_connection = True
        assert await marker(link) == MARKER
        other = ModbusLink("127.0.0.1", int(link.address.rpartition(":")[2]))
        with pytest.raises(ModbusError, match="closed the connection"):
            await marker(other)
        link.close()
        await asyncio.sleep(0.1)
        assert await marker(other) == MARKER
        other.close()

    with_device(steps)


def test_coils_and_registers_are_written_to_a_server_that_is_not_ours() -> None:
    async def main() -> None:
        async with device({0: [1, 2, 3]}) as one:
            link = ModbusLink("127.0.0.1", one.port)
            await link.write_register(1, 2, 65_535, timeout_s=3.0)
            assert await link.read(1, "holding", 0, 3, timeout_s=3.0) == (1, 2, 65_535)
            await link.write_coil(1, 9, True, timeout_s=3.0)
            coils = await link.read_bits(1, "coil", 0, 11, timeout_s=3.0)
            assert [index for index, on in enumerate(coils) if on] == [9]
            await link.write_coil(1, 9, False, timeout_s=3.0)
            assert not any(await link.read_bits(1, "coil", 0, 16, timeout_s=3.0))
            await one.contact(3, True)
            assert await link.read_bits(1, "discrete", 2, 3, timeout_s=3.0) == (False, True, False)
            with pytest.raises(RefusedError, match="has no such register"):
                await link.write_register(1, 500, 1, timeout_s=3.0)
            link.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (struct.pack(">HHHBBHH", 1, 0, 6, 1, 6, 7, 2), "confirms something else"),
        (struct.pack(">HHHBBB", 1, 0, 3, 1, 0x86, 4), "refuses: it failed"),
        (struct.pack(">HHHBBB", 1, 0, 3, 1, 3, 2), "confirms something else"),
    ],
)
def test_what_is_not_confirmed_was_not_written(answer: bytes, words: str) -> None:
    async def main() -> None:
        async with answering(lambda _: answer) as port:
            link = ModbusLink("127.0.0.1", port)
            with pytest.raises(ModbusError, match=words):
                await link.write_register(1, 7, 1, timeout_s=3.0)
            link.close()

    run_warped(main())


def test_bits_of_another_length_are_none() -> None:
    answer = struct.pack(">HHHBBBH", 1, 0, 5, 1, 1, 2, 0xFFFF)

    async def main() -> None:
        async with answering(lambda _: answer) as port:
            link = ModbusLink("127.0.0.1", port)
            with pytest.raises(ModbusError, match="does not fit"):
                await link.read_bits(1, "coil", 0, 8, timeout_s=3.0)
            link.close()

    run_warped(main())
