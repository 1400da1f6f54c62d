"""What a SunSpec device says of itself, over the wire."""

from __future__ import annotations

import asyncio

import pytest

from parkwatt.io.gateway.modbus_settings import ModbusDevice
from parkwatt.io.gateway.registers import SharedLinks
from parkwatt.io.gateway.self_description import read_discharge_kw, read_enter_service
from parkwatt.io.modbus.link import ModbusError
from tests.io.gateway.modbus_server import device, model_702, model_703, model_713
from tests.io.modbus.strangers import common, device_of


def test_enter_service_is_read_over_the_wire() -> None:
    model = model_703(
        high_percent=105.8, low_percent=91.7, high_hz=60.1, low_hz=59.5, delay_s=300, ramp_s=300
    )

    async def main() -> None:
        async with device({40_000: device_of(common("Maker"), model)}) as one:
            registers = SharedLinks().registers(ModbusDevice("127.0.0.1", one.port))
            told = await read_enter_service(registers)
            registers.close()
        assert told is not None
        assert told.enabled is True
        assert told.voltage_pu_max == pytest.approx(1.058)
        assert told.frequency_hz_min == pytest.approx(59.5)
        assert (told.delay_s, told.ramp_s) == (300.0, 300.0)
        async with device({40_000: device_of(common("Maker"), model_713(50.0))}) as one:
            registers = SharedLinks().registers(ModbusDevice("127.0.0.1", one.port))
            assert await read_enter_service(registers) is None
            registers.close()
        with pytest.raises(ModbusError):
            await read_enter_service(SharedLinks().registers(ModbusDevice("127.0.0.1", 1)))

    asyncio.run(main())


def test_a_rating_is_read_over_the_wire() -> None:
    async def main() -> None:
        async with device({40_000: device_of(common("Maker"), model_702(9600))}) as one:
            registers = SharedLinks().registers(ModbusDevice("127.0.0.1", one.port))
            assert await read_discharge_kw(registers) == 9.6
            registers.close()
        async with device({40_000: device_of(common("Maker"), model_713(50.0))}) as one:
            registers = SharedLinks().registers(ModbusDevice("127.0.0.1", one.port))
            assert await read_discharge_kw(registers) is None
            registers.close()

    asyncio.run(main())
