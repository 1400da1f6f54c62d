"""What the registers of each model mean: signs, scales, phases, and what is not told."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.meter_reading import MeterValues, Sign
from parkwatt.io.modbus.models import FAMILIES, LAYOUTS, measured, usual_sign
from parkwatt.io.sim.sunspec_meter import MeterShown, SunSpecServer
from tests.io.modbus.strangers import float_meter

ORDER = (1, 2, 3)


def int_meter(model: int = 203, **values: int) -> list[int]:
    """A model 201 to 204 with its header, with a value for each point that is named; the rest is not implemented."""
    places = {
        "AphA": 3,
        "AphB": 4,
        "AphC": 5,
        "A_SF": 6,
        "PhVphA": 8,
        "PhVphB": 9,
        "PhVphC": 10,
        "V_SF": 15,
        "W": 18,
        "WphA": 19,
        "WphB": 20,
        "WphC": 21,
        "W_SF": 22,
        "TotWhExp": 38,
        "TotWhImp": 46,
        "TotWh_SF": 54,
    }
    block = [model, 105, *[0x8000] * 105]
    block[38:54] = [0] * 16
    for name, value in values.items():
        if name.startswith("TotWh") and name != "TotWh_SF":
            block[places[name] : places[name] + 2] = struct.unpack(">HH", struct.pack(">I", value))
        else:
            block[places[name]] = value & 0xFFFF
    return block


def read(
    registers: Sequence[int],
    sign: Sign = "import_positive",
    order: Sequence[int] = ORDER,
) -> MeterValues:
    """What the model says by its own layout."""
    layout = LAYOUTS[registers[0]]
    return measured(layout, registers[: layout.count], sign, order)


WHOLE = {
    "AphA": 512,
    "AphB": 133,
    "AphC": 1,
    "A_SF": -2,
    "PhVphA": 2301,
    "PhVphB": 2299,
    "PhVphC": 2310,
    "V_SF": -1,
    "W": -871,
    "WphA": -1178,
    "WphB": 305,
    "WphC": 2,
    "W_SF": 0,
    "TotWhExp": 1_234_567,
    "TotWhImp": 7_654_321,
    "TotWh_SF": 0,
}


def test_a_three_phase_meter_with_scales() -> None:
    values = read(int_meter(203, **WHOLE))
    assert values.power_kw == pytest.approx(-0.871)
    assert values.phase_current_a == pytest.approx((-5.12, 1.33, 0.01))
    assert values.voltage_v == pytest.approx((230.1, 229.9, 231.0))
    assert (values.import_kwh, values.export_kwh) == pytest.approx((7654.321, 1234.567))


def test_a_meter_that_counts_export_turns_powers_and_currents_but_not_its_registers() -> None:
    values = read(int_meter(203, **WHOLE), "export_positive")
    assert values.power_kw == pytest.approx(0.871)
    assert values.phase_current_a == pytest.approx((5.12, -1.33, -0.01))
    assert (values.import_kwh, values.export_kwh) == pytest.approx((7654.321, 1234.567))


def test_signed_currents_take_the_direction_of_their_power_too() -> None:
    values = read(int_meter(203, **{**WHOLE, "AphA": -512, "AphB": -133}))
    assert values.phase_current_a == pytest.approx((-5.12, 1.33, 0.01))


def test_a_current_whose_direction_is_not_told_counts_as_import() -> None:
    without = {name: value for name, value in WHOLE.items() if not name.startswith("Wph")}
    values = read(int_meter(203, **without))
    assert values.phase_current_a == pytest.approx((5.12, 1.33, 0.01))


@pytest.mark.parametrize(("model", "count"), [(201, 1), (202, 2), (203, 3), (204, 3)])
def test_each_model_has_its_phases(model: int, count: int) -> None:
    values = read(int_meter(model, **WHOLE))
    assert len(values.phase_current_a) == len(values.voltage_v) == count


def test_phases_are_put_in_the_order_of_the_connection() -> None:
    values = read(int_meter(203, **WHOLE), order=(3, 1, 2))
    assert values.phase_current_a == pytest.approx((1.33, 0.01, -5.12))
    assert values.voltage_v == pytest.approx((229.9, 231.0, 230.1))


def test_what_is_not_implemented_is_unknown() -> None:
    assert read(int_meter(203)) == MeterValues(
        phase_current_a=(None, None, None), voltage_v=(None, None, None)
    )


def test_a_value_without_its_scale_is_unknown() -> None:
    without = {name: value for name, value in WHOLE.items() if not name.endswith("_SF")}
    assert read(int_meter(203, **without)).power_kw is None
    assert read(int_meter(203, **{**WHOLE, "W_SF": 40})).power_kw is None


def test_a_register_of_energy_at_0_does_not_count_yet() -> None:
    assert read(int_meter(203, **{**WHOLE, "TotWhExp": 0})).export_kwh is None


@pytest.mark.parametrize("model", [211, 212, 213, 214])
def test_a_meter_with_floats(model: int) -> None:
    values = read(
        float_meter(
            model,
            {
                "W": 1234.5,
                "WphA": -100.0,
                "WphB": 1334.5,
                "AphA": 0.5,
                "AphB": 5.75,
                "PhVphA": 231.0,
                "PhVphB": 229.0,
                "TotWhImp": 5000.0,
                "TotWhExp": 250.0,
            },
        )
    )
    assert values.power_kw == pytest.approx(1.2345)
    assert values.phase_current_a[:2] == pytest.approx((-0.5, 5.75)[: len(values.phase_current_a)])
    assert (values.import_kwh, values.export_kwh) == (5.0, 0.25)


@given(
    st.floats(-300.0, 300.0),
    st.integers(-2, 3),
    st.booleans(),
    st.tuples(*[st.floats(-100.0, 100.0)] * 3),
)
def test_any_power_at_any_scale_is_read_as_the_virtual_device_shows_it(
    power_kw: float, exponent: int, export_positive: bool, phases_kw: tuple[float, ...]
) -> None:
    shown = MeterShown(power_kw=power_kw, phase_power_kw=phases_kw, import_kwh=1.0, export_kwh=2.0)
    device = SunSpecServer(
        meter=lambda: shown, scale_exponent=exponent, export_positive=export_positive
    )
    registers = device.registers()[70:]
    assert registers[:2] == [203, 105]
    values = read(registers, "export_positive" if export_positive else "import_positive")
    step_kw = 10.0 ** ((registers[22] ^ 0x8000) - 0x8000) / 1000.0
    assert values.power_kw == pytest.approx(power_kw, abs=0.51 * step_kw)
    for phase_kw, current_a in zip(phases_kw, values.phase_current_a, strict=True):
        assert current_a is not None
        expected_a = min(abs(phase_kw) / 0.230, 327.67)
        assert abs(current_a) == pytest.approx(expected_a, abs=0.0051)
        if abs(phase_kw) > step_kw and current_a != 0.0:
            assert (current_a > 0) == (phase_kw > 0)


@pytest.mark.parametrize("model", [101, 102, 103])
def test_an_inverter(model: int) -> None:
    block = [model, 50, *[0xFFFF] * 50]
    block[14:16] = [3210, -1 & 0xFFFF]
    assert read(block, "export_positive").power_kw == pytest.approx(-0.321)


@pytest.mark.parametrize("model", [111, 112, 113])
def test_an_inverter_with_floats(model: int) -> None:
    block = [model, 60, *[0x7FC0, 0] * 30]
    block[22:24] = struct.unpack(">HH", struct.pack(">f", 4567.5))
    assert read(block, "export_positive").power_kw == pytest.approx(-4.5675)


def test_a_resource_of_the_new_standard() -> None:
    block = [701, 153, *[0xFFFF] * 153]
    block[10], block[116] = -2500 & 0xFFFF, 0
    # It absorbs: a battery that charges.
    assert read(block, "export_positive").power_kw == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("state", "power_kw"), [(1, 0.0), (2, 0.0), (8, 0.0), (4, None), (7, None)]
)
def test_an_inverter_that_rests_produces_nothing_but_no_other_silence_is_0(
    state: int, power_kw: float | None
) -> None:
    block = [103, 50, *[0xFFFF] * 50]
    block[14:16] = [0x8000, 0x8000]
    block[38] = state
    assert read(block, "export_positive").power_kw == power_kw


@pytest.mark.parametrize(
    ("state", "power_kw"), [(0, 0.0), (1, 0.0), (7, 0.0), (2, None), (3, None), (8, None)]
)
def test_a_resource_counts_its_states_otherwise(state: int, power_kw: float | None) -> None:
    block = [701, 153, *[0xFFFF] * 153]
    block[10], block[4] = 0x8000, state
    assert read(block, "export_positive").power_kw == power_kw


def test_every_model_is_read_in_one_request() -> None:
    assert all(layout.count <= 125 for layout in LAYOUTS.values())
    assert {family for families in FAMILIES.values() for family in families} == {
        layout.family for layout in LAYOUTS.values()
    }


@pytest.mark.parametrize(
    ("model", "role", "makers", "sign"),
    [
        (203, "grid", ["Fronius Smart Meter 63A"], "import_positive"),
        (203, "grid", ["SolarEdge SE10K", "WattNode WNC-3D-480-MB"], "export_positive"),
        (203, "load", ["Carlo Gavazzi"], "import_positive"),
        (203, "solar", ["Carlo Gavazzi"], "export_positive"),
        (103, "solar", ["SMA"], "export_positive"),
        (701, "battery", ["any"], "export_positive"),
        (213, "battery", ["any"], "import_positive"),
    ],
)
def test_the_usual_sign(model: int, role: str, makers: list[str], sign: str) -> None:
    assert usual_sign(LAYOUTS[model], role, makers) == sign  # type: ignore[arg-type] # a role
