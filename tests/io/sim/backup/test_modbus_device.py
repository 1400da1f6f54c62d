"""The virtual home on Modbus TCP, as a client that is not ours sees it, and as raw bytes."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from pymodbus.client import AsyncModbusTcpClient

from parkwatt.io.sim.backup.build import HomeSettings
from parkwatt.io.sim.backup.generator import GeneratorSettings
from parkwatt.io.sim.backup.life import Life
from parkwatt.io.sim.backup.modbus_device import ModbusDevice
from parkwatt.io.sim.backup.registers import Bank
from parkwatt.io.sim.backup.sunspec_models import EnterService
from tests.io.sim.backup.homes import HandClock, a_life

SETTINGS = HomeSettings(generator=GeneratorSettings(), battery_kwh=10.0)


@dataclass
class Plant:
    """The home, its clock, and a client of its server."""

    life: Life
    clock: HandClock
    device: ModbusDevice
    client: AsyncModbusTcpClient
    port: int

    async def registers(self, address: int, count: int = 1) -> list[int]:
        answer = await self.client.read_holding_registers(address, count=count, device_id=1)
        assert not answer.isError(), answer
        return list(answer.registers)

    async def contacts(self, address: int, count: int) -> list[bool]:
        answer = await self.client.read_discrete_inputs(address, count=count, device_id=1)
        return list(answer.bits[:count])

    async def write(self, address: int, value: int) -> int:
        """The exception's code, 0 where it was done."""
        answer = await self.client.write_register(address, value, device_id=1)
        return answer.exception_code if answer.isError() else 0

    async def coil(self, address: int, *, on: bool) -> int:
        answer = await self.client.write_coil(address, on, device_id=1)
        return answer.exception_code if answer.isError() else 0


def on_modbus(
    steps: Callable[[Plant], Awaitable[None]], home: HomeSettings | None = SETTINGS
) -> None:
    async def main() -> None:
        life, clock = a_life(home)
        device = ModbusDevice(bank=Bank(life))
        port = await device.start()
        client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=2, retries=0)
        assert await client.connect()
        try:
            await steps(Plant(life, clock, device, client, port))
        finally:
            client.close()
            await device.stop()

    asyncio.run(main())


def fail(plant: Plant) -> None:
    grid = plant.life.home.grid
    grid.plan(grid.outage(plant.life.now_us(), 1e6))
    plant.life.touched()


def test_on_the_grid() -> None:
    async def steps(plant: Plant) -> None:
        assert await plant.registers(110, 3) == [1, 0, 0]
        assert await plant.registers(113, 2) == [1, 0]
        assert await plant.registers(120, 6) == [2300, 2300, 2300, 5000, 2300, 5000]
        assert await plant.registers(103) == [15]
        assert await plant.contacts(0, 7) == [False, True, True, False, True, False, True]
        assert await plant.contacts(10, 10) == [True] * 10
        seconds = await plant.registers(126, 2)
        assert seconds[0] * 65_536 + seconds[1] == plant.clock.now_us // 1_000_000

    on_modbus(steps)


@pytest.mark.parametrize("by_coil", [True, False])
def test_into_an_island_and_back(by_coil: bool) -> None:
    async def steps(plant: Plant) -> None:
        async def ask(number: int, on: bool) -> int:
            if by_coil:
                return await plant.coil(number, on=on)
            return await plant.write(100 + number, int(on))

        fail(plant)
        assert await plant.registers(120, 5) == [0, 0, 0, 0, 0]
        assert await ask(1, True) == 4, "the interlock"
        assert await ask(0, False) == 0
        plant.clock.wait(1)
        assert await ask(2, True) == 0
        assert await ask(1, True) == 0
        assert await plant.write(103, 600) == 0
        plant.clock.wait(10)
        assert await plant.registers(110, 3) == [0, 1, 1]
        assert await plant.registers(124, 2) == [2300, 5000]
        assert await plant.registers(130) == [2]
        assert (await plant.registers(131))[0] > 100
        plant.clock.wait(585)
        assert await plant.registers(111) == [1]
        assert await ask(1, True) == 0
        plant.clock.wait(595)
        assert await plant.registers(111) == [1], "asking again renews the lease"
        plant.clock.wait(6)
        assert await plant.registers(111) == [0]
        assert await plant.registers(124) == [0]
        grid = plant.life.home.grid
        grid.plan([grid.back(plant.life.now_us())])
        assert await ask(0, True) == 0
        plant.clock.wait(1)
        assert await plant.registers(110, 2) == [1, 0]
        assert plant.life.home.gateway.counters.both_closed_s == 0.0

    on_modbus(steps)


def test_circuits() -> None:
    async def steps(plant: Plant) -> None:
        network = list(plant.life.home.circuits).index("network")
        at = 200 + 10 * network
        plant.clock.wait(3600)
        assert await plant.registers(at, 6) == [1, 1, 40, 0, 40, 0]
        assert await plant.write(at + 5, 60) == 0
        assert await plant.write(at, 0) == 0
        plant.clock.wait(1)
        assert await plant.registers(at, 3) == [0, 0, 0]
        plant.clock.wait(60)
        assert await plant.registers(at, 3) == [1, 1, 40], "the off lapsed"
        assert await plant.coil(10 + network, on=False) == 0
        plant.clock.wait(1)
        answer = await plant.client.read_coils(10, count=10, device_id=1)
        assert answer.bits[:10].count(False) == 1

    on_modbus(steps)


def test_many_at_once() -> None:
    async def steps(plant: Plant) -> None:
        answer = await plant.client.write_coils(10, [False] * 10, device_id=1)
        assert not answer.isError()
        plant.clock.wait(1)
        assert await plant.contacts(10, 10) == [False] * 10
        answer = await plant.client.write_registers(200, [1], device_id=1)
        assert not answer.isError()
        plant.clock.wait(1)
        assert (await plant.contacts(10, 10)).count(True) == 1

    on_modbus(steps)


def test_the_generator() -> None:
    async def steps(plant: Plant) -> None:
        assert await plant.registers(140, 2) == [0, 0]
        assert await plant.write(141, 1) == 0
        plant.clock.wait(2)
        assert await plant.registers(140, 2) == [1, 1]
        plant.clock.wait(10)
        assert await plant.registers(140) == [2]
        assert await plant.coil(50, on=False) == 0
        plant.clock.wait(2)
        assert await plant.registers(140) == [3]

    on_modbus(steps)


def test_what_is_not_there_is_unknown() -> None:
    async def steps(plant: Plant) -> None:
        assert await plant.registers(138, 4) == [0x8000, 0xFFFF, 0xFFFF, 0xFFFF]
        assert await plant.write(141, 1) == 2
        plant.life.home.plug(is_plugged=False)
        assert await plant.registers(132, 3) == [0xFFFF] * 3
        plant.life.home.gateway.faults.sense = "silent"
        assert await plant.registers(120, 4) == [0xFFFF] * 4
        plant.life.home.gateway.poles["bond"].faults.auxiliary = "silent"
        assert await plant.registers(112) == [0xFFFF]
        assert await plant.contacts(4, 2) == [False, False]

    on_modbus(steps, HomeSettings())


def test_a_silent_gateway_stands_still_and_a_deaf_one_refuses() -> None:
    async def steps(plant: Plant) -> None:
        before = await plant.registers(110, 17)
        plant.life.home.gateway.faults.silent = True
        fail(plant)
        plant.clock.wait(5)
        assert (await plant.registers(110, 14)) == before[:14], "heartbeat and voltages too"
        plant.life.home.gateway.faults.deaf = True
        assert await plant.coil(0, on=False) == 4
        assert await plant.write(103, 10) == 4

    on_modbus(steps)


@pytest.mark.parametrize(
    ("address", "value", "code"), [(100, 2, 3), (99, 0, 2), (290, 1, 0), (300, 1, 2), (203, 1, 2)]
)
def test_it_refuses_what_it_does_not_have(address: int, value: int, code: int) -> None:
    async def steps(plant: Plant) -> None:
        assert await plant.write(address, value) == code

    on_modbus(steps)


@pytest.mark.parametrize(
    ("request_bytes", "answer"),
    [
        (b"\x07\x00\x00\x00\x00", b"\x87\x01"),  # no such function
        (b"\x03\x00\x64\x00\x00", b"\x83\x03"),  # of nothing
        (b"\x03\x00\x00\x00\x01", b"\x83\x02"),  # no such register
        (b"\x05\x00\x00\x12\x34", b"\x85\x03"),  # neither on nor off
        (b"\x10\x00\x64\x00\x02\x02\x00\x01", b"\x90\x03"),  # shorter than it says
        (b"\x01\x00\x00\x00\x03", b"\x01\x01\x01"),  # the grid pole is closed
        (b"\x03", b"\x83\x03"),
    ],
)
def test_bytes_on_the_wire(request_bytes: bytes, answer: bytes) -> None:
    async def steps(plant: Plant) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", plant.port)
        writer.write(struct.pack(">HHHB", 7, 0, len(request_bytes) + 1, 1) + request_bytes)
        head = struct.unpack(">HHHB", await reader.readexactly(7))
        assert head[0] == 7
        assert await reader.readexactly(head[2] - 1) == answer
        writer.close()
        await writer.wait_closed()

    on_modbus(steps)


def test_its_sunspec_models() -> None:
    async def steps(plant: Plant) -> None:
        marker = await plant.registers(40_000, 2)
        assert struct.pack(">2H", *marker) == b"SunS"
        address, found = 40_002, {}
        while True:
            number, length = await plant.registers(address, 2)
            if number == 0xFFFF:
                break
            words: list[int] = []
            for begin in range(0, length + 2, 100):
                words += await plant.registers(address + begin, min(100, length + 2 - begin))
            found[number] = words
            address += 2 + length
        assert list(found) == [1, 701, 703, 713]
        assert found[701][2:6] == [2, 0, 0, 0], "three phases, off, not connected"
        assert (found[701][9], found[701][16], found[701][18]) == (1, 2300, 5000)
        assert found[703][2:9] == [1, 1050, 917, 0, 6010, 0, 5950]
        assert found[703][9:15] == [0, 300, 0, 0, 0, 300]
        assert found[713][2:9] == [6000, 3000, 500, 1000, 0, 1, 0xFFFF]

    on_modbus(steps)


def test_its_models_in_an_island() -> None:
    async def steps(plant: Plant) -> None:
        fail(plant)
        home = plant.life.home
        home.gateway.renew_lease(10_000)
        for action in ("open_grid_pole", "close_bond", "close_island_source"):
            plant.life.command(action)
            plant.clock.wait(1)
        plant.clock.wait(1000)
        words = await plant.registers(40_070, 30)
        assert words[0] == 701
        assert words[3:6] == [1, 3, 1], "on, running, connected"
        assert words[9] == 2, "it forms the grid"
        assert words[10] == round(1000 * home.source.power_kw)
        assert words[19:23] == [0, 0, 0, round(1000 * home.truth.totals.source_given_kwh)]

    on_modbus(steps)


def test_enter_service_by_another_code() -> None:
    async def steps(plant: Plant) -> None:
        assert EnterService.around(60.0) == EnterService()
        assert EnterService.around(50.0).frequency_hz == (49.5, 50.1)
        plant.device.enter_service = EnterService((0.85, 1.1), (49.5, 50.1), 60, 600)
        words = await plant.registers(40_070 + 155, 19)
        assert words == [
            *(703, 17, 1, 1100, 850, 0, 5010, 0, 4950, 0, 60, 0, 0, 0, 600, 0, 0),
            *(0xFFFF, 0xFFFE),
        ]

    on_modbus(steps)
