"""Meter values of every version: units, directions, phases, places, moments, and what breaks the standard."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.charger.reading import MeterReading
from parkwatt.io.ocpp.messages import decode_request
from parkwatt.io.ocpp.meter_values import MeterValues, read_meter_values
from parkwatt.io.ocpp.version import Version

_NOW = 1_785_850_545_377_000
_TIME = "2026-08-04T13:35:45.377Z"
_VERSIONS = list(Version)


def sample(
    version: Version,
    value: object,
    measurand: str | None = None,
    unit: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One sampled value in a version's form: `multiplier` and `signed` are of 2.x."""
    multiplier, signed = more.pop("multiplier", None), more.pop("signed", None)
    found: dict[str, Any] = {"measurand": measurand, "signedMeterValue": signed, **more}
    if version is Version.V16:
        found |= {"value": str(value), "unit": unit}
    else:
        measure = {"unit": unit, "multiplier": multiplier}
        found |= {"value": value}
        found["unitOfMeasure"] = {k: v for k, v in measure.items() if v is not None} or None
    return {name: value for name, value in found.items() if value is not None}


def read(
    version: Version, *samples: dict[str, Any], time: str = _TIME, **options: Any
) -> MeterValues:
    """What is read of a message with these sampled values, as it comes over the wire."""
    place = "connectorId" if version is Version.V16 else "evseId"
    message = {place: 1, "meterValue": [{"timestamp": time, "sampledValue": list(samples)}]}
    decoded = decode_request(version, "MeterValues", msgspec.Raw(json.dumps(message).encode()))
    return read_meter_values(version, decoded.message.meterValue, _NOW, **options)


def reading(version: Version, *samples: dict[str, Any]) -> MeterReading:
    """The only reading, of which nothing was to be noted."""
    values = read(version, *samples)
    assert values.deviations == ()
    (found,) = values.readings
    assert found.measured_unix_us == _NOW
    return found


@pytest.mark.parametrize("version", _VERSIONS)
@pytest.mark.parametrize(
    ("measurand", "unit", "value", "field", "expected"),
    [
        (None, None, 1500, "energy_import_kwh", 1.5),
        ("Energy.Active.Import.Register", "Wh", 1500, "energy_import_kwh", 1.5),
        ("Energy.Active.Import.Register", "kWh", 1.5, "energy_import_kwh", 1.5),
        ("Energy.Active.Export.Register", "Wh", 1500, "energy_export_kwh", 1.5),
        ("Energy.Active.Import.Interval", "Wh", 250, "energy_import_interval_kwh", 0.25),
        ("Energy.Active.Export.Interval", "kWh", 0.25, "energy_export_interval_kwh", 0.25),
        ("Power.Active.Import", None, 7400, "power_kw", 7.4),
        ("Power.Active.Import", "W", 7400, "power_kw", 7.4),
        ("Power.Active.Import", "kW", 7.4, "power_kw", 7.4),
        ("Power.Active.Export", "kW", 7.4, "power_kw", -7.4),
        ("Power.Active.Import", "W", -7400, "power_kw", -7.4),
        ("Power.Offered", "W", 11000, "power_offered_kw", 11.0),
        ("SoC", "Percent", 42, "soc", 0.42),
        ("SoC", None, 42, "soc", 0.42),
        ("Current.Import", "A", 16, "current_a", (16.0,)),
        ("Current.Export", "A", 16, "current_a", (-16.0,)),
        ("Voltage", "V", 231, "voltage_v", (231.0,)),
        ("Temperature", "Celsius", 31, "temperature_c", 31.0),
        ("Temperature", "K", 300, "temperature_c", 26.85),
        ("Temperature", "Fahrenheit", 212, "temperature_c", 100.0),
        ("Frequency", "Hertz", 49.98, "frequency_hz", 49.98),
    ],
)
def test_each_quantity_in_each_unit(
    version: Version,
    measurand: str | None,
    unit: str | None,
    value: float,
    field: str,
    expected: object,
) -> None:
    found = reading(version, sample(version, value, measurand, unit))
    assert getattr(found, field) == pytest.approx(expected)
    others = set(found.__struct_fields__) - {field, "measured_unix_us", "moment", "signed"}
    assert all(getattr(found, name) is None for name in others)


@given(st.floats(-1e6, 1e6), st.integers(-6, 6))
def test_a_multiplier_is_a_power_of_ten(value: float, multiplier: int) -> None:
    found = reading(
        Version.V21, sample(Version.V21, value, "Power.Active.Import", "W", multiplier=multiplier)
    )
    assert found.power_kw == pytest.approx(value * 10.0**multiplier / 1000.0)


@pytest.mark.parametrize("version", _VERSIONS)
@given(values=st.tuples(*[st.floats(-1e5, 1e5)] * 3))
def test_power_is_the_sum_of_the_phases(version: Version, values: tuple[float, ...]) -> None:
    samples = [
        sample(version, value, "Power.Active.Import", "W", phase=f"L{phase}")
        for phase, value in enumerate(values, 1)
    ]
    assert reading(version, *samples).power_kw == pytest.approx(sum(values) / 1000.0, abs=1e-9)
    whole = sample(version, 5000, "Power.Active.Import", "W")
    assert reading(version, *samples, whole).power_kw == pytest.approx(5.0)
    assert reading(version, whole, *samples).power_kw == pytest.approx(5.0)


@pytest.mark.parametrize("version", _VERSIONS)
@given(import_w=st.floats(100, 1e5), export_w=st.floats(100, 1e5))
def test_power_is_import_less_export(version: Version, import_w: float, export_w: float) -> None:
    samples = [
        sample(version, import_w, "Power.Active.Import", "W"),
        sample(version, export_w, "Power.Active.Export", "W"),
    ]
    expected = pytest.approx((import_w - export_w) / 1000.0, abs=1e-9)
    assert reading(version, *samples).power_kw == expected
    assert reading(version, *reversed(samples)).power_kw == expected


@pytest.mark.parametrize("sign", [1, -1])
def test_one_flow_told_twice_counts_once(sign: int) -> None:
    version = Version.V201
    samples = [
        sample(version, sign * 5000, "Power.Active.Import", "W"),
        sample(version, sign * -5010, "Power.Active.Export", "W"),
    ]
    assert reading(version, *samples).power_kw == pytest.approx(sign * 5.0)


@pytest.mark.parametrize("version", _VERSIONS)
def test_currents_and_voltages_are_by_phase_and_make_power_only_together(version: Version) -> None:
    currents = [sample(version, 10 + n, "Current.Import", "A", phase=f"L{n}") for n in (1, 2, 3)]
    voltages = [sample(version, 230, "Voltage", "V", phase=f"L{n}-N") for n in (1, 2, 3)]
    alone = reading(version, *currents)
    assert (alone.current_a, alone.power_kw) == ((11.0, 12.0, 13.0), None)
    both = reading(version, *currents, *voltages)
    assert both.voltage_v == (230.0, 230.0, 230.0)
    assert both.power_kw == pytest.approx(36 * 0.23)
    export = [sample(version, 20, "Current.Export", "A", phase="L1")]
    back = reading(version, *export, *voltages)
    assert back.power_kw == pytest.approx(-4.6)
    measured = reading(
        version, *currents, *voltages, sample(version, 8000, "Power.Active.Import", "W")
    )
    assert measured.power_kw == 8.0
    assert (
        reading(
            version,
            sample(version, 16, "Current.Import", "A"),
            sample(version, 230, "Voltage", "V"),
        ).power_kw
        is None
    )


def test_neutral_and_voltages_between_phases_are_left_out() -> None:
    version = Version.V16
    found = reading(
        version,
        sample(version, 400, "Voltage", "V", phase="L1-L2"),
        sample(version, 16, "Current.Import", "A", phase="L1"),
        sample(version, 3, "Current.Import", "A", phase="N"),
    )
    assert (found.current_a, found.voltage_v) == ((16.0,), None)


@pytest.mark.parametrize("version", _VERSIONS)
def test_the_outlet_counts_before_the_inlet_and_they_are_never_added(version: Version) -> None:
    outlet = sample(version, 3000, "Power.Active.Import", "W", location="Outlet")
    inlet = [
        sample(version, 4000, "Power.Active.Import", "W", phase=f"L{n}", location="Inlet")
        for n in (1, 2, 3)
    ]
    assert reading(version, *inlet, outlet).power_kw == 3.0
    assert reading(version, outlet, *inlet).power_kw == 3.0
    assert reading(version, *inlet).power_kw == 12.0
    assert reading(version, sample(version, 55, "SoC", "Percent", location="EV")).soc == 0.55


def test_what_is_measured_upstream_is_not_the_cars() -> None:
    found = reading(
        Version.V21, sample(Version.V21, 9000, "Power.Active.Import", "W", location="Upstream")
    )
    assert found.power_kw is None


def test_the_measurands_of_2_1() -> None:
    version = Version.V21
    found = reading(
        version,
        sample(version, -5000, "Power.Active.Setpoint", "W"),
        sample(version, 22000, "Power.Offered", "W"),
        sample(version, 11000, "Power.Import.Offered", "W"),
        sample(version, 61, "Display.PresentSOC", "Percent"),
        sample(version, 60, "EnergyRequest.Target", "Wh"),
        sample(version, 0.99, "Power.Factor"),
    )
    assert (found.setpoint_kw, found.power_offered_kw, found.soc) == (-5.0, 11.0, 0.61)


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_a_net_register_completes_the_other_and_says_nothing_alone(version: Version) -> None:
    net = sample(version, 3000, "Energy.Active.Net", "Wh")
    assert reading(version, net).energy_import_kwh is None
    found = reading(version, net, sample(version, 5000, "Energy.Active.Import.Register", "Wh"))
    assert (found.energy_import_kwh, found.energy_export_kwh) == (5.0, 2.0)
    found = reading(version, net, sample(version, 2000, "Energy.Active.Export.Register", "Wh"))
    assert (found.energy_import_kwh, found.energy_export_kwh) == (5.0, 2.0)


@pytest.mark.parametrize("version", _VERSIONS)
@pytest.mark.parametrize(
    ("context", "moment"),
    [
        (None, "interval"),
        ("Sample.Periodic", "interval"),
        ("Sample.Clock", "interval"),
        ("Transaction.Begin", "begin"),
        ("Transaction.End", "end"),
        ("Trigger", "triggered"),
        ("Interruption.Begin", "other"),
    ],
)
def test_the_context_is_the_moment(version: Version, context: str | None, moment: str) -> None:
    found = reading(
        version,
        sample(version, 1, context=context),
        sample(version, 5, "SoC", "Percent", context=context),
    )
    assert (found.moment, found.energy_import_kwh, found.soc) == (moment, 0.001, 0.05)


@pytest.mark.parametrize("version", _VERSIONS)
def test_begin_and_end_in_one_element_are_two_readings(version: Version) -> None:
    end = sample(version, 9000, context="Transaction.End")
    begin = sample(version, 2000, context="Transaction.Begin")
    first, last = read(version, end, begin, sample(version, 50, "SoC", "Percent")).readings
    assert (first.moment, first.energy_import_kwh, first.soc) == ("begin", 2.0, None)
    assert (last.moment, last.energy_import_kwh, last.soc) == ("end", 9.0, 0.5)


@pytest.mark.parametrize(
    ("value", "kwh"),
    [
        ("12,5", 0.0125),
        (" 12.5 ", 0.0125),
        ("1e3", 1.0),
        ("NaN", None),
        ("inf", None),
        ("", None),
        ("n/a", None),
    ],
)
def test_numbers_of_1_6_are_text(value: str, kwh: float | None) -> None:
    values = read(
        Version.V16,
        sample(Version.V16, value),
        sample(Version.V16, 7400, "Power.Active.Import", "W"),
    )
    (found,) = values.readings
    assert (found.energy_import_kwh, found.power_kw) == (kwh, 7.4)
    assert bool(values.deviations) == (value not in {" 12.5 ", "1e3"})


@pytest.mark.parametrize("version", _VERSIONS)
@pytest.mark.parametrize(
    ("measurand", "unit", "value"),
    [
        ("Power.Active.Import", "Wh", 5000),
        ("Power.Active.Import", "V", 5000),
        ("Energy.Active.Import.Register", "A", 5000),
        ("Power.Active.Invented", "W", 5000),
        ("Energy.Active.Import.Register", "Wh", -1),
        ("SoC", "Percent", 140),
    ],
)
def test_what_cannot_be_is_told_and_not_used(
    version: Version, measurand: str, unit: str, value: float
) -> None:
    values = read(
        version, sample(version, value, measurand, unit), sample(version, 230, "Voltage", "V")
    )
    assert values.deviations
    assert all(deviation.field.startswith("meterValue[0]") for deviation in values.deviations)
    assert values.readings == (MeterReading(_NOW, voltage_v=(230.0,)),)


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_units_of_no_standard_are_understood_and_told(version: Version) -> None:
    for unit, value in [("KW", 5), ("kw", 5), ("MW", 0.005), ("w ", 5000)]:
        values = read(version, sample(version, value, "Power.Active.Import", unit))
        assert values.readings[0].power_kw == pytest.approx(5.0)
        assert len(values.deviations) == 1


def test_a_time_that_cannot_be_used_is_none_and_told() -> None:
    values = read(Version.V201, sample(Version.V201, 1), time="1970-01-01T00:00:12Z")
    assert values.readings[0].measured_unix_us is None
    assert values.deviations[0].field == "meterValue[0].timestamp"
    assert (
        read(
            Version.V201,
            sample(Version.V201, 1),
            time="1970-01-01T00:00:12Z",
            field="transactionData",
        )
        .deviations[0]
        .field.startswith("transactionData[0]")
    )


def test_no_meter_values_are_no_readings() -> None:
    assert read_meter_values(Version.V21, None, _NOW) == MeterValues((), ())


_texts = (
    st.none()
    | st.sampled_from(["L1", "Outlet", "W", "kWh", "Power.Active.Import", "SoC", "Trigger"])
    | st.text(max_size=9)
)


@given(
    st.lists(
        st.tuples(
            _texts, _texts, _texts, _texts, _texts, st.floats(allow_nan=True) | st.text(max_size=6)
        ),
        min_size=1,
        max_size=8,
    )
)
def test_nothing_a_charger_writes_raises(rows: list[tuple[Any, ...]]) -> None:
    class Sample:
        """A sampled value of 1.6 as lenient as it can be."""

        def __init__(
            self, measurand: Any, unit: Any, phase: Any, location: Any, context: Any, value: Any
        ) -> None:
            self.measurand, self.unit, self.phase, self.location = measurand, unit, phase, location
            self.context, self.value, self.format = context, value, None

    class Element:
        timestamp = _TIME
        sampledValue = [Sample(*row) for row in rows]  # noqa: N815, RUF012

    values = read_meter_values(Version.V16, [Element()], _NOW)
    msgspec.json.decode(msgspec.json.encode(values.readings), type=tuple[MeterReading, ...])
