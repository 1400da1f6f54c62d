"""The virtual device, as a client that is not ours sees it."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable

import pytest
from pymodbus.client import AsyncModbusTcpClient

from parkwatt.io.sim.sunspec_meter import MeterShown, SunSpecServer

SHOWN = MeterShown(
    power_kw=-4.5,
    phase_power_kw=(-2.0, -3.0, 0.5),
    voltage_v=(230.0, 231.5, 229.0),
    import_kwh=1234.567,
    export_kwh=42.0,
)


def as_client(
    device: SunSpecServer, steps: Callable[[AsyncModbusTcpClient], Awaitable[None]]
) -> None:
    """Take the steps with pymodbus's client."""

    async def main() -> None:
        port = await device.start()
        client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=1, retries=0)
        assert await client.connect()
        try:
            await steps(client)
        finally:
            client.close()
            await device.stop()

    asyncio.run(main())


def test_its_models_follow_each_other_to_the_end() -> None:
    async def steps(client: AsyncModbusTcpClient) -> None:
        marker = await client.read_holding_registers(50_000, count=2, device_id=7)
        assert struct.pack(">2H", *marker.registers) == b"SunS"
        address, found = 50_002, []
        while True:
            header = await client.read_holding_registers(address, count=2, device_id=7)
            number, length = header.registers
            if number == 0xFFFF:
                break
            found.append(number)
            address += 2 + length
        assert found == [1, 103, 203]

    device = SunSpecServer(meter=lambda: SHOWN, inverter_kw=lambda: 1.0, unit=7, base=50_000)
    as_client(device, steps)


def test_its_meter_shows_what_the_caller_says() -> None:
    async def steps(client: AsyncModbusTcpClient) -> None:
        answer = await client.read_holding_registers(40_070, count=107, device_id=1)
        registers = answer.registers
        signed = [(word ^ 0x8000) - 0x8000 for word in registers]
        assert signed[18:23] == [-450, -200, -300, 50, 1]
        assert signed[3:7] == [870, 1296, 218, -2]
        assert signed[8:11] == [2300, 2315, 2290]
        assert signed[15] == -1
        assert registers[46] * 65_536 + registers[47] == 1_234_567
        assert registers[38] * 65_536 + registers[39] == 42_000
        assert registers[54] == 0

    as_client(SunSpecServer(meter=lambda: SHOWN, scale_exponent=1), steps)


def test_its_inverter_shows_what_the_caller_says_and_sleeps_without_sun() -> None:
    sun_kw = [6.5]

    async def steps(client: AsyncModbusTcpClient) -> None:
        day = (await client.read_holding_registers(40_070, count=52, device_id=1)).registers
        assert (day[0], day[14], day[15], day[38]) == (103, 6500, 0, 4)
        sun_kw[0] = 0.0
        night = (await client.read_holding_registers(40_070, count=52, device_id=1)).registers
        assert (night[14], night[38]) == (0, 2)

    as_client(SunSpecServer(inverter_kw=lambda: sun_kw[0]), steps)


def test_a_power_that_does_not_fit_gets_another_scale() -> None:
    async def steps(client: AsyncModbusTcpClient) -> None:
        registers = (await client.read_holding_registers(40_088, count=5, device_id=1)).registers
        assert (registers[0], registers[4]) == (12_346, 2)

    as_client(SunSpecServer(meter=lambda: MeterShown(power_kw=1234.567)), steps)


@pytest.mark.parametrize(
    ("address", "count", "unit", "code"),
    [
        (39_999, 2, 1, 2),
        (40_000, 125, 1, None),
        (40_178, 3, 1, 2),
        (0, 2, 1, 2),
        (40_000, 2, 9, 11),
    ],
)
def test_it_refuses_what_it_does_not_have(
    address: int, count: int, unit: int, code: int | None
) -> None:
    async def steps(client: AsyncModbusTcpClient) -> None:
        answer = await client.read_holding_registers(address, count=count, device_id=unit)
        assert answer.isError() == (code is not None)
        if code is not None:
            assert answer.exception_code == code

    as_client(SunSpecServer(meter=lambda: SHOWN), steps)


def test_it_writes_nothing() -> None:
    async def steps(client: AsyncModbusTcpClient) -> None:
        answer = await client.write_register(40_090, 5, device_id=1)
        assert answer.exception_code == 1

    as_client(SunSpecServer(meter=lambda: SHOWN), steps)
