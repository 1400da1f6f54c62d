"""What a device on MQTT is known to tell, and how old it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.gateway.mqtt_fold import BatteryFold, CircuitFold, GatewayFold
from parkwatt.io.gateway.mqtt_settings import MqttBattery, Presence
from parkwatt.io.gateway.points import Quantity
from parkwatt.io.mqtt.fold import Message
from parkwatt.io.mqtt.settings import Place
from tests.io.gateway.devices import mqtt_circuit, mqtt_gateway

# A gateway as one builds it from two contacts and a meter: each value with its own topic, and no sign of life.
BARE: dict[str, object] = {
    "grid_pole": {"topic": "pole"},
    "island_source": {
        "topic": "inverter",
        "path": "contacts.source",
        "closed": "true",
        "open": "false",
    },
    "grid_voltage": [{"topic": "meter", "path": "v.0"}, {"topic": "meter", "path": "v.1"}],
    "grid_frequency": {"topic": "meter", "path": "hz"},
    "fault": {"topic": "fault"},
}
ALIVE: dict[str, object] = {**BARE, "alive_topic": "alive", "availability_topic": "there"}


def said(topic: str, payload: str | bytes, at_s: float, *, retained: bool = False) -> Message:
    """A message."""
    data = payload.encode() if isinstance(payload, str) else payload
    return Message(topic, data, retained, round(at_s * 1e6), at_s)


def tell_all(fold: GatewayFold, at_s: float, *, retained: bool = False) -> None:
    """Each value once."""
    fold.take(said("pole", "closed", at_s, retained=retained))
    fold.take(said("inverter", '{"contacts":{"source":false}}', at_s, retained=retained))
    fold.take(said("meter", '{"v":[230,"115.0"],"hz":50.02}', at_s, retained=retained))


def test_all_parts_make_a_reading() -> None:
    fold = GatewayFold(mqtt_gateway(BARE))
    assert fold.topics == {"pole", "inverter", "meter", "fault"}
    tell_all(fold, 10.0)
    reading = fold.reading()
    assert (reading.grid_pole, reading.island_source) == ("closed", "open")
    assert reading.grid_voltage_pu == (1.0, 0.5)
    assert reading.grid_frequency_hz == 50.02
    assert reading.measured_unix_us == 10_000_000
    assert not fold.news()


def test_it_is_as_old_as_its_oldest_part() -> None:
    fold = GatewayFold(mqtt_gateway(BARE))
    tell_all(fold, 10.0)
    for at_s in (11.0, 12.0, 13.0):
        fold.take(said("meter", '{"v":[230,230],"hz":50}', at_s))
        fold.take(said("inverter", '{"contacts":{"source":false}}', at_s))
        assert fold.reading().measured_unix_us == 10_000_000
    fold.take(said("pole", "closed", 14.0))
    assert fold.reading().measured_unix_us == 13_000_000


def test_a_part_that_was_never_told_makes_all_of_it_old() -> None:
    fold = GatewayFold(mqtt_gateway(BARE))
    fold.take(said("pole", "open", 10.0))
    fold.take(said("meter", '{"v":[0,0],"hz":0}', 10.0))
    assert fold.reading().measured_unix_us == 0
    assert fold.reading().grid_pole == "open"
    assert fold.reading().island_source is None


def test_what_the_broker_had_kept_has_no_time() -> None:
    fold = GatewayFold(mqtt_gateway(BARE))
    tell_all(fold, 10.0, retained=True)
    assert fold.reading().grid_pole == "closed"
    assert fold.reading().measured_unix_us == 0


def test_what_the_broker_had_kept_takes_nobodys_place() -> None:
    fold = GatewayFold(mqtt_gateway(BARE))
    tell_all(fold, 10.0)
    fold.take(said("pole", "open", 11.0, retained=True))
    assert fold.reading().grid_pole == "closed"


def test_a_sign_of_life_makes_what_was_kept_fresh() -> None:
    fold = GatewayFold(mqtt_gateway(ALIVE))
    tell_all(fold, 10.0, retained=True)
    fold.take(said("alive", "1", 12.0))
    assert fold.reading().measured_unix_us == 12_000_000


def test_a_kept_sign_of_life_is_none() -> None:
    fold = GatewayFold(mqtt_gateway(ALIVE))
    tell_all(fold, 10.0, retained=True)
    fold.take(said("alive", "1", 12.0, retained=True))
    assert fold.reading().measured_unix_us == 0


def test_values_said_again_without_a_sign_of_life_grow_old() -> None:
    """A gateway whose sensing hangs may go on to send what it read last."""
    fold = GatewayFold(mqtt_gateway(ALIVE))
    tell_all(fold, 10.0)
    fold.take(said("alive", "1", 10.5))
    for at_s in range(11, 60):
        tell_all(fold, at_s)
    assert fold.reading().measured_unix_us == 10_500_000


def test_a_device_that_is_away_tells_nothing_until_it_does_again() -> None:
    fold = GatewayFold(mqtt_gateway(ALIVE))
    tell_all(fold, 10.0)
    fold.take(said("alive", "1", 10.5))
    fold.take(said("there", "offline", 11.0))
    assert fold.reading().grid_pole is None
    assert fold.reading().measured_unix_us == 11_000_000
    assert [(state.ok, state.reason) for state in fold.news()] == [
        (False, "it says that it is offline on there")
    ]
    fold.take(said("there", "online", 12.0))
    fold.take(said("alive", "1", 12.5))
    assert fold.reading().grid_pole is None
    assert fold.reading().measured_unix_us == 0
    assert [state.ok for state in fold.news()] == [True]
    tell_all(fold, 13.0)
    fold.take(said("alive", "1", 13.5))
    assert fold.reading().grid_pole == "closed"
    assert fold.reading().measured_unix_us == 13_500_000


def test_a_new_connection_forgets() -> None:
    fold = GatewayFold(mqtt_gateway(ALIVE))
    tell_all(fold, 10.0)
    fold.forget()
    fold.take(said("alive", "1", 11.0))
    assert fold.reading().grid_pole is None
    assert fold.reading().measured_unix_us == 0


def test_its_own_clock_counts_where_it_is_earlier() -> None:
    fold = GatewayFold(
        mqtt_gateway({**BARE, "measured_at": {"topic": "at", "scale": 1e-6}}),
    )
    tell_all(fold, 10.0)
    assert fold.reading().measured_unix_us == 0
    fold.take(said("at", "4000000", 10.0))
    assert fold.reading().measured_unix_us == 4_000_000


def test_contacts_that_contradict_each_other_pass_as_they_are() -> None:
    fold = GatewayFold(mqtt_gateway(BARE))
    tell_all(fold, 10.0)
    fold.take(said("inverter", '{"contacts":{"source":true}}', 11.0))
    assert (fold.reading().grid_pole, fold.reading().island_source) == ("closed", "closed")


def test_a_word_that_is_not_in_the_settings_is_told() -> None:
    fold = GatewayFold(mqtt_gateway(BARE))
    fold.take(said("pole", "ajar", 10.0))
    assert fold.reading().grid_pole is None
    states = fold.news()
    assert [state.ok for state in states] == [False]
    assert states[0].reason == "on pole: 'ajar' is neither 'closed' nor 'open'"
    fold.take(said("pole", "unknown", 11.0))
    assert [state.ok for state in fold.news()] == [True]
    fold.take(said("meter", '{"v":[230]}', 12.0))
    assert "nothing at" in fold.news()[0].reason


def test_its_own_fault_is_told_as_it_says_it() -> None:
    fold = GatewayFold(mqtt_gateway(BARE))
    fold.take(said("fault", "contactor 2 welded", 10.0))
    assert fold.reading().fault == "contactor 2 welded"
    fold.take(said("fault", "", 11.0))
    assert fold.reading().fault == ""


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["pole", "inverter", "meter", "fault", "alive", "there", "else"]),
            st.binary(max_size=40)
            | st.sampled_from(
                [b"closed", b"open", b"offline", b"online", b"[" * 40, b'{"v":1e999}']
            ),
            st.booleans(),
        ),
        max_size=30,
    )
)
def test_no_message_whatever_raises_nor_makes_the_future(
    messages: list[tuple[str, bytes, bool]],
) -> None:
    fold = GatewayFold(mqtt_gateway(ALIVE))
    for index, (topic, payload, retained) in enumerate(messages, start=1):
        fold.take(said(topic, payload, index, retained=retained))
        fold.news()
        reading = fold.reading()
        assert 0 <= reading.measured_unix_us <= index * 1_000_000
        assert reading.grid_pole in (None, "open", "closed")


def test_a_circuit_as_home_assistant_tells_it() -> None:
    fold = CircuitFold(mqtt_circuit("fridge", {"base_topic": "home/circuit/fridge"}))
    fold.take(said("home/circuit/fridge/state", "OFF", 10.0))
    fold.take(said("home/circuit/fridge/power", "85.5", 12.0))
    reading = fold.reading()
    assert (reading.circuit_id, reading.on, reading.power_kw) == ("fridge", False, 0.0855)
    assert reading.measured_unix_us == 10_000_000
    fold.take(said("home/circuit/fridge/energy", "12.5", 13.0))
    assert fold.reading().energy_kwh == 12.5
    assert not fold.take(said("home/circuit/tv/state", "ON", 14.0))


def test_a_battery() -> None:
    fold = BatteryFold(MqttBattery(Quantity(Place("soc"), 0.01), Presence()))
    fold.take(said("soc", "73", 5.0))
    assert (fold.reading().soc, fold.reading().measured_unix_us) == (0.73, 5_000_000)
    fold.take(said("soc", "unavailable", 6.0))
    assert fold.reading().soc is None
