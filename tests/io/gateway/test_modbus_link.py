"""A gateway, circuits and a battery on Modbus TCP, against pymodbus's server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from parkwatt.domain.home.circuit import CircuitCommand, CircuitReading
from parkwatt.domain.home.gateway import GatewayReading
from parkwatt.domain.record import Faults, Record
from parkwatt.io.gateway.link import BatteryReading, DeviceError
from parkwatt.io.gateway.modbus_link import (
    ModbusBatteryLink,
    ModbusCircuitsLink,
    ModbusGatewayLink,
)
from parkwatt.io.gateway.modbus_settings import (
    ModbusBattery,
    ModbusCircuit,
    ModbusDevice,
    PointPlace,
    read_modbus_circuit,
)
from parkwatt.io.gateway.points import Quantity
from parkwatt.io.gateway.registers import SharedLinks
from tests.io.gateway.devices import Heard, approved, clock, modbus_gateway
from tests.io.gateway.modbus_server import Device, device, model_701, model_713
from tests.io.modbus.strangers import answering, common, device_of

# As docs/reference/virtual-home.md has it: poles, presence, fault, heartbeat; voltages, frequency, output, its clock.
REGISTERS = {
    100: [1, 0, 0, 15],
    110: [1, 0, 0, 1, 0, 7],
    120: [2300, 2300, 1150, 5000, 2300],
    200: [1, 1, 85, 0, 1500, 0],
}
GATEWAY: dict[str, object] = {
    "poll_s": 0.1,
    "grid_pole": {"register": 110},
    "island_source": {"register": 111},
    "bond": {"register": 112},
    "grid_present": {"register": 113},
    "grid_voltage": [{"register": 120 + phase, "scale": 0.1} for phase in range(3)],
    "grid_frequency": {"register": 123, "scale": 0.01},
    "output_voltage": {"register": 124, "scale": 0.1},
    "fault": {"register": 114},
    "lease": {"register": 103},
    "commands": {
        "open_grid_pole": {"register": 100, "value": 0},
        "close_grid_pole": {"register": 100, "value": 1},
        "close_island_source": {"function": "coil", "register": 1, "value": 1},
        "open_island_source": {"function": "coil", "register": 1, "value": 0},
    },
}


async def with_gateway(
    table: dict[str, object],
    port: int,
    steps: Callable[[ModbusGatewayLink, Heard[GatewayReading]], Awaitable[None]],
) -> None:
    """Take the steps while a gateway's link runs."""
    heard = Heard[GatewayReading]()
    gateway = modbus_gateway({**table, "host": "127.0.0.1", "port": port, "timeout_s": 1.0})
    link = ModbusGatewayLink(SharedLinks(), gateway, clock=clock)
    task = asyncio.create_task(link.run(heard.on_reading, heard.on_state))
    try:
        await steps(link, heard)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def at_device(
    table: dict[str, object],
    steps: Callable[[Device, ModbusGatewayLink, Heard[GatewayReading]], Awaitable[None]],
) -> None:
    """Take the steps with a device and its link."""

    async def main() -> None:
        async with device(REGISTERS) as one:
            await with_gateway(table, one.port, lambda link, heard: steps(one, link, heard))

    asyncio.run(main())


def test_a_gateway_is_read() -> None:
    async def steps(_: Device, __: ModbusGatewayLink, heard: Heard[GatewayReading]) -> None:
        begun_us = clock()
        await heard.until(lambda: len(heard.readings) >= 2)
        reading = heard.readings[-1]
        assert begun_us - 200_000 <= reading.measured_unix_us <= clock()
        assert reading.grid_voltage_pu == pytest.approx((1.0, 1.0, 0.5))
        assert reading.grid_frequency_hz == 50.0
        assert reading.grid_present is True
        assert (reading.grid_pole, reading.island_source, reading.bond) == (
            "closed",
            "open",
            "open",
        )
        assert (reading.output_voltage_pu, reading.fault) == (1.0, "")

    at_device(GATEWAY, steps)


def test_what_it_does_not_know_is_unknown() -> None:
    async def steps(one: Device, _: ModbusGatewayLink, heard: Heard[GatewayReading]) -> None:
        await one.set(110, 0xFFFF, 7, 1, 0xFFFF, 3)
        await one.set(120, 0xFFFF, 2300, 2300, 0xFFFF, 0xFFFF)
        await heard.until(lambda: bool(heard.readings) and heard.readings[-1].fault == "code 3")
        reading = heard.readings[-1]
        assert (reading.grid_pole, reading.island_source, reading.bond) == (None, None, "closed")
        assert (reading.grid_present, reading.grid_voltage_pu) == (None, None)
        assert (reading.grid_frequency_hz, reading.output_voltage_pu) == (None, None)

    at_device(GATEWAY, steps)


def test_commands_are_written_with_their_lease_and_seen_at_once() -> None:
    async def steps(one: Device, link: ModbusGatewayLink, heard: Heard[GatewayReading]) -> None:
        await heard.until(lambda: bool(heard.readings))
        await asyncio.sleep(0.1)
        count = len(heard.readings)
        await link.request(approved("open_grid_pole", lease_s=33))
        assert (await one.register(100), await one.register(103)) == (0, 33)
        await heard.until(lambda: len(heard.readings) > count, within_s=2.0)
        await link.request(approved("close_island_source", lease_s=20))
        assert await one.coil(1)
        assert await one.register(103) == 20
        await link.request(approved("open_island_source"))
        assert not await one.coil(1)
        with pytest.raises(DeviceError, match="no command for close_bond"):
            await link.request(approved("close_bond"))
        with pytest.raises(TypeError, match="only an ApprovedTransfer"):
            await link.request(cast("Any", "close_island_source"))

    at_device({**GATEWAY, "poll_s": 30.0}, steps)


def test_a_contact_and_its_contrary_must_differ() -> None:
    table = {
        **GATEWAY,
        "grid_pole": {"function": "discrete", "register": 1, "opposite": 0},
        "island_source": {"register": 111, "bit": 2},
    }

    async def steps(one: Device, _: ModbusGatewayLink, heard: Heard[GatewayReading]) -> None:
        await heard.until(lambda: bool(heard.readings))
        assert heard.readings[-1].grid_pole is None
        await one.contact(1, True)
        await one.set(111, 4)
        await heard.until(lambda: heard.readings[-1].grid_pole == "closed")
        await heard.until(lambda: heard.readings[-1].island_source == "closed")
        await one.contact(0, True)
        await heard.until(lambda: heard.readings[-1].grid_pole is None)
        await one.contact(1, False)
        await heard.until(lambda: heard.readings[-1].grid_pole == "open")

    at_device(table, steps)


def test_a_counter_that_stands_still_makes_all_of_it_old() -> None:
    async def steps(one: Device, _: ModbusGatewayLink, heard: Heard[GatewayReading]) -> None:
        await heard.until(lambda: len(heard.readings) >= 3)
        assert heard.readings[-1].measured_unix_us == 0
        await one.set(115, 8)
        await heard.until(lambda: heard.readings[-1].measured_unix_us > 0)
        moved_us, count = heard.readings[-1].measured_unix_us, len(heard.readings)
        await heard.until(lambda: len(heard.readings) >= count + 3)
        assert heard.readings[-1].measured_unix_us == moved_us
        await one.set(115, 9)
        await heard.until(lambda: heard.readings[-1].measured_unix_us > moved_us)

    at_device({**GATEWAY, "alive": {"register": 115}}, steps)


def test_a_device_that_ends_is_told_and_comes_back() -> None:
    async def main() -> None:
        async with device(REGISTERS) as one:

            async def steps(link: ModbusGatewayLink, heard: Heard[GatewayReading]) -> None:
                await heard.until(lambda: bool(heard.readings))
                await one.stop()
                await heard.until(lambda: heard.oks("gateway") == [False])
                count = len(heard.readings)
                with pytest.raises(DeviceError, match="refuses the connection"):
                    await link.request(approved("open_island_source"))
                await asyncio.sleep(0.5)
                assert len(heard.readings) == count
                async with device(REGISTERS, one.port):
                    await heard.until(lambda: heard.oks("gateway") == [False, True])
                    await heard.until(lambda: len(heard.readings) > count)

            await with_gateway(GATEWAY, one.port, steps)

    asyncio.run(main())


def test_a_device_that_answers_nothing_is_told_and_heard_again() -> None:
    """It takes connections and stays silent, then says that it has no such registers."""
    silent = True

    def answer(request: bytes) -> bytes:
        return b"" if silent else request[:4] + bytes((0, 3, 1, request[7] | 0x80, 2))

    async def main() -> None:
        async with answering(answer) as port:

            async def steps(_: ModbusGatewayLink, heard: Heard[GatewayReading]) -> None:
                nonlocal silent
                await heard.until(lambda: heard.oks("gateway") == [False])
                assert "no answer from" in heard.states[0].reason
                silent = False
                await asyncio.sleep(1.5)
                assert heard.oks("gateway") == [False]
                assert not heard.readings

            await with_gateway({**GATEWAY}, port, steps)

    asyncio.run(main())


def test_a_sunspec_device_tells_voltage_frequency_and_whether_it_forms_the_grid() -> None:
    table: dict[str, object] = {
        "poll_s": 0.1,
        "grid_voltage": [{"sunspec": f"701.VL{phase}"} for phase in (1, 2, 3)],
        "grid_frequency": {"sunspec": "701.Hz"},
        "grid_pole": {"sunspec": "701.ConnSt"},
        "island_source": {"sunspec": "701.Forming"},
    }
    whole = device_of(common("Maker"), model_701(hz=49.97, volts=(230, 207, 253), forming=False))

    async def main() -> None:
        async with device({40_000: whole}) as one:

            async def steps(_: ModbusGatewayLink, heard: Heard[GatewayReading]) -> None:
                await heard.until(lambda: bool(heard.readings))
                reading = heard.readings[-1]
                assert reading.grid_voltage_pu == pytest.approx((1.0, 0.9, 1.1))
                assert reading.grid_frequency_hz == pytest.approx(49.97)
                assert (reading.grid_pole, reading.island_source) == ("closed", "open")
                forming = model_701(hz=50.0, volts=(230, 230, 230), forming=True)
                await one.set(40_002 + 67, *forming)
                await heard.until(lambda: heard.readings[-1].island_source == "closed")

            await with_gateway(table, one.port, steps)

    asyncio.run(main())


def test_a_model_that_is_not_there_is_told() -> None:
    table: dict[str, object] = {"poll_s": 0.1, "grid_present": {"sunspec": "701.ConnSt"}}

    async def main() -> None:
        async with device({40_000: device_of(common("Maker"), model_713(50.0))}) as one:

            async def steps(_: ModbusGatewayLink, heard: Heard[GatewayReading]) -> None:
                await heard.until(lambda: heard.oks("gateway") == [False])
                assert "no SunSpec model 701 (it has 1, 713)" in heard.states[0].reason

            await with_gateway(table, one.port, steps)

    asyncio.run(main())


def circuit(circuit_id: str, table: dict[str, object], port: int) -> ModbusCircuit:
    """A circuit at the gateway's address."""
    faults = Faults()
    record = Record({"poll_s": 0.1, **table}, "circuit", faults)
    one = read_modbus_circuit(record, circuit_id, ModbusDevice("127.0.0.1", port))
    faults.raise_if_any()
    return one


def test_circuits_share_the_gateways_connection_and_are_switched() -> None:
    async def main() -> None:
        async with device(REGISTERS) as one:
            heard = Heard[CircuitReading]()
            fridge = circuit(
                "fridge",
                {
                    "switch": {"register": 200},
                    "state": {"register": 201},
                    "power": {"register": 202},
                    "energy": {"register": 203, "type": "uint32", "scale": 0.001},
                    "lease": {"register": 205},
                },
                one.port,
            )
            well = circuit("well", {"power": {"register": 202}}, one.port)
            link = ModbusCircuitsLink(SharedLinks(), (fridge, well), clock=clock)
            task = asyncio.create_task(link.run(heard.on_reading, heard.on_state))
            await heard.until(lambda: len(heard.readings) >= 4)
            told = {reading.circuit_id: reading for reading in heard.readings}
            assert (told["fridge"].on, told["fridge"].power_kw) == (True, 0.085)
            assert told["fridge"].energy_kwh == 1.5
            assert (told["well"].on, told["well"].power_kw) == (None, 0.085)
            await link.command(CircuitCommand("fridge", False, "outage", 120))
            assert (await one.register(200), await one.register(205)) == (0, 120)
            await one.set(201, 0)
            await heard.until(lambda: heard.readings[-1].on is False)
            for name in ("well", "nobody"):
                with pytest.raises(DeviceError, match=f"no switch for {name}"):
                    await link.command(CircuitCommand(name, False, "outage", 120))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


def test_a_battery_tells_its_state_of_charge_by_sunspec() -> None:
    async def main() -> None:
        async with device({40_000: device_of(common("Maker"), model_713(62.5))}) as one:
            heard = Heard[BatteryReading]()
            at = ModbusDevice("127.0.0.1", one.port)
            battery = ModbusBattery(
                device=at, soc=Quantity(PointPlace(713, "SoC"), 0.01), poll_s=0.1
            )
            link = ModbusBatteryLink(SharedLinks(), battery, clock=clock)
            task = asyncio.create_task(link.run(heard.on_reading, heard.on_state))
            await heard.until(lambda: bool(heard.readings))
            assert heard.readings[0].soc == pytest.approx(0.625)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
