"""Finding models, wherever a device begins and however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from parkwatt.io.meter_reading import Role
from parkwatt.io.modbus.link import ModbusError, ModbusLink
from parkwatt.io.modbus.survey import BASES, Model, choose, survey
from tests.io.modbus.strangers import common, device_of, float_meter, pymodbus_server

METER = float_meter(213, {"W": 1.0})
INVERTER = [103, 50, *[0] * 50]


def found(registers: Mapping[int, list[int]]) -> tuple[Model, ...]:
    """The models of a device of pymodbus with these registers."""

    async def main() -> tuple[Model, ...]:
        async with pymodbus_server(registers) as port:
            link = ModbusLink("127.0.0.1", port)

            async def read(address: int, count: int) -> tuple[int, ...]:
                return await link.read(1, "holding", address, count, timeout_s=3.0)

            try:
                return await survey(read)
            finally:
                link.close()

    return asyncio.run(main())


@pytest.mark.parametrize("base", BASES)
def test_models_are_found_wherever_they_begin(base: int) -> None:
    models = found({base: device_of(common("Fronius"), METER)})
    assert [(model.number, model.address) for model in models] == [(1, base + 2), (213, base + 69)]
    assert models[1].maker == "Fronius Meter"


def test_a_device_within_a_device_has_its_own_maker() -> None:
    models = found(
        {
            40_000: device_of(
                common("SolarEdge", "SE10K"), INVERTER, common("WattNode", "WNC"), METER
            )
        }
    )
    assert [(model.number, model.maker) for model in models] == [
        (1, "SolarEdge SE10K"),
        (103, "SolarEdge SE10K"),
        (1, "WattNode WNC"),
        (213, "WattNode WNC"),
    ]


def test_a_list_without_an_end_is_taken_as_far_as_it_goes() -> None:
    models = found({40_000: device_of(common("Fronius"), METER)[:-2]})
    assert [model.number for model in models] == [1, 213]


def test_a_model_that_is_too_short_is_not_taken() -> None:
    short = [203, 20, *[0] * 20]
    models = found({40_000: device_of(common("Odd"), short)})
    with pytest.raises(ModbusError, match="SunSpec models: 1, 203"):
        choose(models, "grid", 1)


def test_other_registers_at_a_base_are_passed_over() -> None:
    models = found({40_000: [7, 7, 7], 0: device_of(common("Old"), METER)})
    assert models[1].address == 69


def test_a_device_without_sunspec_says_what_to_do() -> None:
    with pytest.raises(ModbusError, match="switch it on there, or name its registers"):
        found({100: [1, 2, 3]})


@pytest.mark.parametrize(
    ("role", "number", "place"),
    [
        ("grid", 1, 3),
        ("grid", 2, 4),
        ("load", 1, 3),
        ("solar", 1, 1),
        ("battery", 1, 2),
    ],
)
def test_the_kind_and_number_that_a_role_needs_is_chosen(
    role: Role, number: int, place: int
) -> None:
    numbers = (1, 103, 701, 203, 213)
    models = tuple(Model(one, 100 * place, 200, "M") for place, one in enumerate(numbers))
    assert choose(models, role, number).address == 100 * place


def test_what_is_not_there_is_told_with_what_is() -> None:
    models = (Model(1, 2, 66, "M"), Model(103, 70, 50, "M"))
    with pytest.raises(ModbusError, match=r"nothing that measures the grid connection .*1, 103"):
        choose(models, "grid", 1)
    with pytest.raises(ModbusError, match="nothing number 2 that measures the sun"):
        choose(models, "solar", 2)
