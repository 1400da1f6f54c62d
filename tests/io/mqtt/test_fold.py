"""From messages to readings: hints, order, silence, signs, what is told once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.site.event import SocTold, SourceChanged
from parkwatt.io.mqtt.fold import Message, MeterFold, SocFold, Told
from parkwatt.io.mqtt.settings import Availability, MqttMeter, Place, SocTopic, soc_topic

US = 1_000_000
GRID = MqttMeter(role="grid", power=Place("grid"))


class Clock:
    """A meter's fold with a time that goes on with each message."""

    def __init__(self, meter: MqttMeter = GRID) -> None:
        self.fold = MeterFold(meter)
        self.at_s = 1000.0
        self.states: list[SourceChanged] = []
        self.last: dict[str, Any] = {}

    def say(
        self, payload: str, topic: str = "grid", *, retained: bool = False, after_s: float = 1.0
    ) -> Told:
        """A message, so much later."""
        self.at_s += after_s
        told = self.fold.take(
            Message(topic, payload.encode(), retained, round(self.at_s * US), self.at_s)
        )
        self.states += told.states
        for reading in told.readings:
            self.last = reading
        return told


def test_a_number_is_a_power_at_its_time() -> None:
    clock = Clock()
    clock.say("1234")
    assert (clock.last["grid_kw"], clock.last["grid_unix_us"]) == (1.234, 1001 * US)
    assert not clock.states


@pytest.mark.parametrize(
    ("watts", "sign", "power_kw"),
    [
        (1.0, "import_positive", 0.5),
        (1000.0, "import_positive", 500.0),
        (1.0, "export_positive", -0.5),
    ],
)
def test_unit_and_sign(watts: float, sign: Any, power_kw: float) -> None:
    clock = Clock(MqttMeter(role="grid", power=Place("grid"), watts=watts, sign=sign))
    clock.say("500")
    assert clock.last["grid_kw"] == pytest.approx(power_kw)


@pytest.mark.parametrize(
    ("role", "sign", "payload", "field", "power_kw"),
    [
        ("solar", "export_positive", "2500", "solar_kw", 2.5),
        ("solar", "export_positive", "-5", "solar_kw", 0.0),
        ("solar", "import_positive", "-2500", "solar_kw", 2.5),
        ("load", "import_positive", "800", "load_kw", 0.8),
        ("battery", "import_positive", "1500", "battery_kw", 1.5),
        ("battery", "export_positive", "1500", "battery_kw", -1.5),
    ],
)
def test_each_role_has_its_field(
    role: Any, sign: Any, payload: str, field: str, power_kw: float
) -> None:
    clock = Clock(MqttMeter(role=role, power=Place("grid"), sign=sign))
    clock.say(payload)
    assert clock.last == {field: power_kw, f"{role}_unix_us": 1001 * US}


def test_a_retained_value_is_a_hint_without_a_time() -> None:
    clock = Clock()
    clock.say("700", retained=True)
    assert (clock.last["grid_kw"], clock.last["grid_unix_us"]) == (0.7, 0)
    clock.say("800")
    assert clock.last["grid_unix_us"] == 1002 * US
    # After a broker came back it tells again what it had kept.
    assert clock.say("700", retained=True).readings == []
    assert clock.last["grid_kw"] == 0.8


def test_a_retained_value_never_ends_a_silence() -> None:
    clock = Clock()
    clock.say("700", retained=True)
    assert clock.fold.due_s(0.0) == 120.0
    clock.say("700")
    assert clock.fold.due_s(0.0) == 1002.0 + 120.0


@pytest.mark.parametrize("payload", ["unavailable", "unknown", "None", "", "NaN"])
def test_what_is_told_to_be_unknown_is_unknown_at_once(payload: str) -> None:
    clock = Clock()
    clock.say("700")
    clock.say(payload)
    assert clock.last["grid_kw"] is None
    clock.say(payload)
    assert clock.states == [
        SourceChanged("meter.grid", ok=False, reason="on grid: it is told to be unknown")
    ]
    clock.say("701")
    assert clock.last["grid_kw"] == 0.701
    assert clock.states[1:] == [SourceChanged("meter.grid", ok=True)]


@pytest.mark.parametrize("payload", ["inf", "1e40", "ten", "1,5", "99999999999"])
def test_nonsense_is_unknown(payload: str) -> None:
    clock = Clock()
    clock.say("700")
    clock.say(payload)
    assert clock.last["grid_kw"] is None


def test_silence_is_told_once_and_ends_with_the_next_word() -> None:
    clock = Clock()
    clock.say("700")
    assert clock.fold.silent(1001.0 + 119.0, 0.0) == []
    silent = clock.fold.silent(1001.0 + 120.0, 0.0)
    assert silent == [SourceChanged("meter.grid", ok=False, reason="nothing on grid for 2 minutes")]
    assert clock.fold.silent(5000.0, 0.0) == []
    clock.say("700", after_s=5000.0)
    assert clock.states == [SourceChanged("meter.grid", ok=True)]


def test_silence_counts_from_the_connection() -> None:
    clock = Clock()
    assert clock.fold.silent(1119.0, 1000.0) == []
    assert len(clock.fold.silent(1120.0, 1000.0)) == 1


def test_import_and_export_on_two_topics() -> None:
    """A meter with a P1 port: what is drawn and what is fed in, in kW each."""
    clock = Clock(MqttMeter(role="grid", power=Place("in"), export=Place("out"), watts=1000.0))
    clock.say("0.5", "in")
    assert clock.last["grid_kw"] is None
    clock.say("0", "out")
    assert clock.last["grid_kw"] == 0.5
    assert clock.last["grid_unix_us"] == 1001 * US
    clock.say("0", "in")
    clock.say("1.25", "out")
    assert clock.last["grid_kw"] == -1.25
    # One of them stopped: the reading is as old as its older part.
    for _ in range(100):
        clock.say("1.25", "out")
    assert clock.last["grid_unix_us"] == 1003 * US


def test_one_message_tells_all() -> None:
    meter = MqttMeter(
        role="grid",
        power=Place("em", ("p",)),
        currents=(Place("em", ("i", "0")), Place("em", ("i", "1")), Place("em", ("i", "2"))),
        import_energy=Place("em", ("in",)),
        export_energy=Place("em", ("out",)),
        kwh=0.001,
    )
    clock = Clock(meter)
    told = clock.say('{"p":-300,"i":[1.5,-2,0.5],"in":123456,"out":7000}', "em")
    assert told.readings == [
        {
            "grid_kw": -0.3,
            "grid_unix_us": 1001 * US,
            "phase_current_a": (1.5, -2.0, 0.5),
            "voltage_v": None,
            "import_kwh": pytest.approx(123.456),
            "export_kwh": pytest.approx(7.0),
        }
    ]


def test_currents_of_another_moment_are_not_told_with_the_power() -> None:
    meter = MqttMeter(role="grid", power=Place("p"), currents=(Place("i"),))
    clock = Clock(meter)
    clock.say("4.5", "i")
    clock.say("1000", "p", after_s=20.0)
    assert clock.last["phase_current_a"] == (4.5,)
    clock.say("1000", "p", after_s=20.0)
    assert clock.last["phase_current_a"] is None


def test_where_export_is_positive_each_current_counts_as_import() -> None:
    meter = MqttMeter(
        role="grid", power=Place("p"), sign="export_positive", currents=(Place("i"), Place("j"))
    )
    clock = Clock(meter)
    clock.say("4", "i")
    clock.say("-5", "j")
    clock.say("-1000", "p")
    assert clock.last["phase_current_a"] == (4.0, 5.0)


def test_a_current_that_is_nonsense_is_told_once_while_the_power_goes_on() -> None:
    meter = MqttMeter(role="grid", power=Place("p"), currents=(Place("i"),))
    clock = Clock(meter)
    for _ in range(5):
        clock.say("?", "i")
        clock.say("1000", "p")
    assert clock.last["grid_kw"] == 1.0
    assert [state.ok for state in clock.states] == [False]
    clock.say("3", "i")
    assert [state.ok for state in clock.states] == [False, True]


def test_a_device_that_says_it_is_gone_is_unknown_until_it_speaks_again() -> None:
    meter = MqttMeter(role="grid", power=Place("p"), availability=Availability("lwt"))
    clock = Clock(meter)
    clock.say("1000", "p")
    clock.say("offline", "lwt")
    assert clock.last["grid_unix_us"] == 1002 * US
    assert clock.last["grid_kw"] is None
    clock.say("900", "p", retained=True)
    assert clock.last["grid_kw"] is None
    clock.say("online", "lwt")
    assert clock.last["grid_kw"] is None
    clock.say("1100", "p")
    assert clock.last["grid_kw"] == 1.1
    assert [state.ok for state in clock.states] == [False, True]


def test_a_retained_word_that_a_device_is_gone_counts() -> None:
    meter = MqttMeter(role="grid", power=Place("p"), availability=Availability("lwt", "1", "0"))
    clock = Clock(meter)
    clock.say("0", "lwt", retained=True)
    clock.say("1000", "p", retained=True)
    assert clock.last["grid_kw"] is None
    assert [state.ok for state in clock.states] == [False]


def test_other_words_of_availability_say_nothing() -> None:
    meter = MqttMeter(role="grid", power=Place("p"), availability=Availability("lwt"))
    clock = Clock(meter)
    clock.say("1000", "p")
    for payload in ("Offline", "maybe", ""):
        assert clock.say(payload, "lwt") == Told()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["p", "i", "lwt"]),
            st.sampled_from(["1", "-2.5", "unknown", "?", "offline", "online", "1e300", ""]),
            st.booleans(),
            st.floats(0.0, 200.0),
        ),
        max_size=40,
    )
)
def test_whatever_is_said_no_reading_is_fresher_than_its_words(
    said: list[tuple[str, str, bool, float]],
) -> None:
    """No value without a live word of its own age, no two states of one kind in a row."""
    meter = MqttMeter(
        role="grid", power=Place("p"), currents=(Place("i"),), availability=Availability("lwt")
    )
    clock = Clock(meter)
    spoken_us = 0
    for topic, payload, retained, after_s in said:
        clock.say(payload, topic, retained=retained, after_s=after_s)
        if topic == "p" and not retained:
            spoken_us = round(clock.at_s * US)
        if clock.last and clock.last["grid_kw"] is not None:
            assert clock.last["grid_unix_us"] in (0, spoken_us)
        clock.states += clock.fold.silent(clock.at_s, 1000.0)
    oks = [state.ok for state in clock.states]
    assert oks == [index % 2 == 1 for index in range(len(oks))]


class Car:
    """A car's topic with a time that goes on."""

    def __init__(self, topic: SocTopic) -> None:
        self.fold = SocFold(topic)
        self.at_s = 1000.0

    def say(self, payload: str, *, retained: bool = False, after_s: float = 1.0) -> Told:
        """A message, so much later."""
        self.at_s += after_s
        return self.fold.take(
            Message("car", payload.encode(), retained, round(self.at_s * US), self.at_s)
        )


def test_percent_and_fraction() -> None:
    assert Car(soc_topic("leaf", "car")).say("55").socs == [
        SocTold("leaf", 0.55, 1001 * US, "mqtt")
    ]
    fraction = Car(soc_topic("leaf", "car", "soc", "fraction")).say('{"soc":0.55}')
    assert [told.soc for told in fraction.socs] == [0.55]


def test_one_percent_is_one_percent() -> None:
    assert [told.soc for told in Car(soc_topic("leaf", "car")).say("1").socs] == [0.01]


@pytest.mark.parametrize("payload", ["0", "0.0", "unknown", "unavailable", ""])
def test_what_services_say_when_they_lost_the_car_is_not_told(payload: str) -> None:
    told = Car(soc_topic("leaf", "car")).say(payload)
    assert told == Told()


@pytest.mark.parametrize(
    ("unit", "payload"), [("percent", "101"), ("percent", "-1"), ("fraction", "55")]
)
def test_what_cannot_be_is_told_as_a_fault(unit: Any, payload: str) -> None:
    car = Car(soc_topic("leaf", "car", None, unit))
    told = car.say(payload)
    assert not told.socs
    assert [(state.source, state.ok) for state in told.states] == [("car.leaf.soc", False)]
    assert "is soc_unit right?" in told.states[0].reason
    assert not car.say(payload).states


def test_what_was_retained_is_not_told() -> None:
    assert Car(soc_topic("leaf", "car")).say("55", retained=True) == Told()


def test_a_flood_of_the_same_is_told_every_ten_minutes() -> None:
    car = Car(soc_topic("leaf", "car"))
    told = [car.say("55", after_s=5.0).socs for _ in range(720)]
    assert sum(map(len, told)) == 6


def test_small_steps_add_up() -> None:
    car = Car(soc_topic("leaf", "car"))
    told = [soc.soc for step in range(21) for soc in car.say(f"{50 + step / 10:.1f}").socs]
    assert told == pytest.approx([0.50, 0.505, 0.51, 0.515, 0.52])
