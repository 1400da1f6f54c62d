"""Events as servers write them become events of the domain, or say what is wrong with them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError
from parkwatt.domain.grid.event import FOREVER_US, GridEvent, in_force
from parkwatt.io.openadr.durations import iso_duration, iso_time, read_duration_s, read_time_us
from parkwatt.io.openadr.read import read_event, read_reports
from parkwatt.io.openadr.settings import ProgramSettings, Sign
from tests.io.openadr.vtn import event

BEGIN = 1795194000_000_000  # 2026-11-20T17:00:00Z
HOUR = 3_600_000_000


def read(raw: dict[str, Any], sign: Sign = "import") -> GridEvent:
    stamps = {"id": "event-1", "createdDateTime": "2026-11-20T16:00:00Z"}
    program = ProgramSettings("flex", sign)
    return read_event(stamps | raw, program, ven_name="north", first_seen_unix_us=BEGIN + 7)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT15M", 900.0),
        ("P1D", 86_400.0),
        ("P1DT2H3M4.5S", 93_784.5),
        ("-PT5S", -5.0),
        ("P2W", 1_209_600.0),
        ("P9999Y", float("inf")),
        ("PT0S", 0.0),
        ("P", None),
        ("PT", None),
        ("15M", None),
        ("", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert read_duration_s(text) == seconds


@given(st.integers(0, 10**7))
def test_durations_come_back(seconds: int) -> None:
    assert read_duration_s(iso_duration(seconds)) == seconds


def test_a_time_without_a_zone_is_utc() -> None:
    assert read_time_us("2026-11-20 17:00:00") == read_time_us("2026-11-20T18:00:00+01:00") == BEGIN
    assert read_time_us("yesterday") is None
    assert iso_time(BEGIN) == "2026-11-20T17:00:00Z"


def test_intervals_follow_each_other_and_may_have_times_of_their_own() -> None:
    raw = event("p", ("PRICE", [0.1]), ("PRICE", [0.2]), ("PRICE", [0.3]))
    raw["intervals"][1]["intervalPeriod"] = {"start": "2026-11-20T19:00:00Z", "duration": "PT30M"}
    found = read(raw)
    spans = [(one.begin_unix_us, one.end_unix_us) for one in found.intervals]
    assert spans == [
        (BEGIN, BEGIN + HOUR),
        (BEGIN + 2 * HOUR, BEGIN + 2 * HOUR + HOUR // 2),
        (BEGIN + 2 * HOUR + HOUR // 2, BEGIN + 3 * HOUR + HOUR // 2),
    ]


@pytest.mark.parametrize("start", ["0001-01-01", "0001-01-01T00:00:00Z", None])
def test_now_is_when_the_event_was_first_seen(start: str | None) -> None:
    raw = event("p", ("DISPATCH_SETPOINT", [5]), duration="P9999Y")
    raw["intervalPeriod"]["start"] = start
    (interval,) = read(raw).intervals
    assert (interval.begin_unix_us, interval.end_unix_us) == (BEGIN + 7, FOREVER_US)


def test_a_table_of_prices_repeats_and_an_event_may_be_cut() -> None:
    prices = [("PRICE", [float(hour)]) for hour in range(24)]
    found = read(event("p", *prices, duration="PT1H") | {"duration": "P9999Y"})
    for hours in (0, 5, 23, 24, 24 * 30 + 7):
        held = in_force([found], BEGIN + hours * HOUR + 60_000_000)["import_price_per_kwh"]
        assert held.value == float(hours % 24)
        assert held.begin_unix_us == BEGIN + hours * HOUR
    cut = read(event("p", *prices) | {"duration": "PT12H"})
    assert in_force([cut], BEGIN + 11 * HOUR)
    assert not in_force([cut], BEGIN + 12 * HOUR)


def test_several_values_share_an_interval() -> None:
    found = read(event("p", ("PRICE", [1.0, 2.0, 3.0, 4.0])))
    values = [
        in_force([found], BEGIN + n * HOUR // 4)["import_price_per_kwh"].value for n in range(4)
    ]
    assert values == [1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("name", "unit", "sign", "value", "power_kw"),
    [
        ("DISPATCH_SETPOINT", "KW", "import", -4200.0, -4200.0),
        ("DISPATCH_SETPOINT", "", "import", 12.5, 12.5),
        ("DISPATCH_SETPOINT", "MW", "import", -1.5, -1500.0),
        ("DISPATCH_SETPOINT", "W", "export", 500.0, -0.5),
        ("PARKWATT_EXPORT_SETPOINT", "KW", "import", 70.0, -70.0),
    ],
)
def test_powers_come_in_kw_from_the_grid(
    name: str, unit: str, sign: Sign, value: float, power_kw: float
) -> None:
    descriptors = [{"payloadType": name, "units": unit}]
    found = read(event("p", (name, [value]), payloadDescriptors=descriptors), sign)
    assert in_force([found], BEGIN)["power_kw"].value == pytest.approx(power_kw)


def test_what_is_not_known_is_a_remark_and_hides_nothing() -> None:
    raw = event(
        "p",
        ("SIMPLE", [2]),
        payloadDescriptors=[{"payloadType": "DISPATCH_SETPOINT", "units": "KVA"}],
    )
    raw["intervals"][0]["payloads"] += [
        {"type": "DISPATCH_SETPOINT", "values": [5]},
        {"type": "SOMETHING_NEW", "values": ["a", 1]},
        {"type": "ALERT_GRID_EMERGENCY", "values": ["storm"]},
    ]
    found = read(raw)
    held = in_force([found], BEGIN)
    assert held["simple_level"].value == 2.0
    assert "power_kw" not in held
    assert held["ALERT_GRID_EMERGENCY"].signal.text == "storm"
    assert held["SOMETHING_NEW"].signal.text == "a, 1"
    assert any("KVA" in one for one in found.remarks)
    assert any("SOMETHING_NEW" in one for one in found.remarks)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"createdDateTime": "x"}, "modificationDateTime"),
        ({"priority": -1}, "priority"),
        ({"priority": "high"}, "priority"),
        ({"intervalPeriod": {"start": "soon"}}, "intervalPeriod.start"),
        (
            {"intervalPeriod": {"start": "2026-11-20T17:00:00Z", "duration": "-PT1H"}},
            "intervalPeriod.duration",
        ),
        ({"intervals": "none"}, "intervals"),
        (
            {"intervals": [{"id": 0, "payloads": [{"type": "SIMPLE", "values": [4]}]}]},
            "intervals[0].payloads[0].values",
        ),
        (
            {"intervals": [{"id": 0, "payloads": [{"type": "PRICE", "values": ["dear"]}]}]},
            "intervals[0].payloads[0].values",
        ),
        (
            {"intervals": [{"id": 0, "payloads": [{"type": "PRICE", "values": []}]}]},
            "intervals[0].payloads[0].values",
        ),
        (
            {
                "intervals": [
                    {"id": 0, "payloads": [{"type": "DISPATCH_SETPOINT", "values": [1e300]}]}
                ]
            },
            "intervals[0].payloads[0].values",
        ),
        (
            {
                "intervals": [
                    {"id": 0, "payloads": [{"type": "IMPORT_CAPACITY_LIMIT", "values": [-1]}]}
                ]
            },
            "intervals[0].payloads[0].values",
        ),
        ({"intervals": [{"id": 0}]}, "intervals[0].payloads"),
        ({"intervals": [7]}, "intervals[0]"),
    ],
)
def test_what_is_wrong_is_named(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        read(event("p", ("PRICE", [1.0])) | changed)
    assert any(fault.field.startswith(field) for fault in caught.value.faults), str(caught.value)


def test_a_random_start_stays_within_its_bounds_and_is_the_same_again() -> None:
    shifts = set()
    for number in range(40):
        raw = event("p", ("SIMPLE", [1]), ("SIMPLE", [2])) | {"id": f"event-{number}"}
        raw["intervalPeriod"]["randomizeStart"] = "PT10M"
        first, again = read(raw), read(raw)
        assert first == again
        shift = first.intervals[0].begin_unix_us - BEGIN
        assert abs(shift) <= 600_000_000
        assert first.intervals[1].begin_unix_us - first.intervals[0].begin_unix_us == HOUR
        shifts.add(shift)
    assert len(shifts) == 40
    assert min(shifts) < 0 < max(shifts)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "id",
                        "intervals",
                        "intervalPeriod",
                        "start",
                        "duration",
                        "payloads",
                        "type",
                        "values",
                        "priority",
                    ]
                ),
                x,
                max_size=5,
            )
        ),
        max_leaves=12,
    )
)
def test_nothing_that_a_server_sends_is_a_bug(raw: Any) -> None:
    if not isinstance(raw, dict):
        raw = {"intervals": raw}
    with suppress(InputError):
        assert read(raw).event_id == raw.get("id", "event-1")


def test_reports_that_are_asked_for() -> None:
    raw = {
        "reportDescriptors": [
            {"payloadType": "USAGE", "numIntervals": 2, "repeat": -1},
            {"payloadType": "UP_REGULATION_AVAILABLE", "historical": False, "startInterval": 1},
            {"payloadType": "NEVER_HEARD_OF"},
            "nonsense",
        ]
    }
    usage, up = read_reports(raw)
    assert (usage.quantity, usage.count, usage.times, usage.historical) == (
        "energy_kwh",
        2,
        -1,
        True,
    )
    assert (up.quantity, up.at_interval, up.historical) == ("down_kw", 1, False)
    assert read_reports({"reportDescriptors": None}) == ()
