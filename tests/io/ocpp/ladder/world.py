"""A charger, its ladder and the time between them: what tests ask, tell and look at. Every call is checked as it goes out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from parkwatt.domain.charger.command import FrequencyCurve, ReleasePower, SetPower
from parkwatt.domain.charger.event import (
    Booted,
    CarNeeds,
    ChargerEvent,
    Connected,
    Disconnected,
    MeterRead,
    RungChanged,
    SetpointJudged,
    TransactionReported,
    Variable,
    VariablesReported,
)
from parkwatt.domain.charger.rung import Rung
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp.call import Answer, Call
from parkwatt.io.ocpp.ladder import Ladder, LadderStep
from parkwatt.io.ocpp.messages import check_request
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.ladder.station import LATENCY_S, Manners, Station

START_UNIX_US = 1_767_225_600_000_000
STEP_S = 0.1
EVSE_ID = 1


class World:
    """One connection point and a ladder. Time is in seconds since it began."""

    def __init__(
        self,
        version: Version = Version.V21,
        manners: Manners | None = None,
        settings: ChargerSettings | None = None,
    ) -> None:
        self.station = Station(version, manners or Manners())
        self.settings = settings or ChargerSettings(discharge=True, power_kw_max=11.0)
        self.ladder = Ladder(self.settings)
        self.state = ChargerState("charger")
        self.now_s = 0.0
        self.events: list[ChargerEvent] = []
        self.event_s: list[float] = []
        self.calls: list[Call] = []
        self.opposite_s = 0.0
        self._due: list[tuple[float, Call]] = []
        self._readings_s: list[float] = []
        self._next_reading_s = 1.0
        self._asked_kw = 0.0

    @property
    def now_unix_us(self) -> int:
        return START_UNIX_US + round(self.now_s * 1e6)

    @property
    def rung(self) -> Rung:
        return self.state.evse(EVSE_ID).rung

    @property
    def proven(self) -> bool:
        return self.state.evse(EVSE_ID).rung_proven

    def begin(self, *, transaction_id: str = "17", bidirectional: bool = True) -> World:
        """Connect, boot, begin a transaction."""
        version = self.station.version
        self.tell(Connected(version.value, 1, "peer"))
        self.tell(Booted("Vendor", "Model", firmware_version="1.0"))
        self.start(transaction_id, bidirectional=bidirectional)
        self.run(2.0)
        return self

    def start(self, transaction_id: str, *, bidirectional: bool = True) -> None:
        """A transaction begins; on 2.1 the car tells what it agreed to."""
        self.tell(TransactionReported(transaction_id, "started", EVSE_ID))
        if self.station.version is Version.V21:
            transfer = "DC_BPT" if bidirectional else "DC"
            self.tell(CarNeeds(EVSE_ID, transfer, bidirectional, True))

    def end(self, transaction_id: str) -> None:
        """The transaction ends, and its profiles with it."""
        profiles = self.station.profiles
        for profile_id, profile in list(profiles.items()):
            if profile["chargingProfilePurpose"] == "TxProfile":
                del profiles[profile_id]
        self.tell(TransactionReported(transaction_id, "ended", EVSE_ID))

    def say(self, **values: str) -> World:
        """Variables of the charger, as component__name."""
        variables = [
            Variable(name.split("__")[1], value, component=name.split("__")[0])
            for name, value in values.items()
        ]
        self.tell(VariablesReported(tuple(variables)))
        return self

    def dynamic(self) -> World:
        """The charger says that it takes dynamic profiles."""
        return self.say(SmartChargingCtrlr__SupportsDynamicProfiles="true")

    def tell(self, event: ChargerEvent) -> None:
        self.state.apply(event, self.now_unix_us)
        self._take(self.ladder.observe(self.state, event, self.now_unix_us))

    def ask(
        self, power_kw: float, lease_s: int = 300, curve: FrequencyCurve | None = None
    ) -> World:
        self._asked_kw = power_kw
        command = SetPower(EVSE_ID, power_kw, lease_s, "a test", curve)
        self._take(self.ladder.ask(self.state, command, self.now_unix_us))
        return self

    def release(self) -> World:
        self._asked_kw = 0.0
        self._take(self.ladder.release(self.state, ReleasePower(EVSE_ID, "done"), self.now_unix_us))
        return self

    def forget(self) -> None:
        self._take(self.ladder.forget(self.state, EVSE_ID, self.now_unix_us))

    def drop_link(self) -> None:
        self._due.clear()
        self.tell(Disconnected("gone"))

    def run(self, seconds: float) -> World:
        """Let time pass."""
        for _ in range(round(seconds / STEP_S)):
            self.now_s = round(self.now_s + STEP_S, 3)
            self.station.step(self.now_s, STEP_S)
            if self._asked_kw < 0.0 and self.station.power_kw > 0.3:
                self.opposite_s += STEP_S
            self._answer()
            self._meter()
            wake = self.ladder.next_tick_unix_us
            if wake is not None and self.now_unix_us >= wake:
                self._take(self.ladder.tick(self.state, self.now_unix_us))
        return self

    def settled_s(self) -> float:
        """When the rung last changed to another one."""
        settled_s, rung = 0.0, Rung.LIMITS_ONLY
        for event, time_s in zip(self.events, self.event_s, strict=True):
            if isinstance(event, RungChanged) and event.rung != rung:
                settled_s, rung = time_s, event.rung
        return settled_s

    def verdicts(self) -> list[tuple[str, Rung]]:
        return [(judged.verdict, judged.rung) for judged in self.judged()]

    def judged(self) -> list[SetpointJudged]:
        return [event for event in self.events if isinstance(event, SetpointJudged)]

    def rungs(self) -> list[Rung]:
        return [event.rung for event in self.events if isinstance(event, RungChanged)]

    def actions(self, purpose: str = "setpoint") -> list[str]:
        return [call.action for call in self.calls if call.purpose == purpose]

    def _answer(self) -> None:
        due = [call for time_s, call in self._due if time_s <= self.now_s]
        self._due = [(time_s, call) for time_s, call in self._due if time_s > self.now_s]
        for call in due:
            answer = self.station.answer(call, self.now_s)
            if call.action == "TriggerMessage" and answer.status == "Accepted":
                self._readings_s.append(self.now_s + LATENCY_S)
            self.hear(answer)

    def hear(self, answer: Answer) -> None:
        self._take(self.ladder.answered(self.state, answer, self.now_unix_us))

    def _meter(self) -> None:
        if self.now_s >= self._next_reading_s:
            self._next_reading_s = self.now_s + self.station.manners.meter_interval_s
            self._readings_s.append(self.now_s)
        for time_s in [time_s for time_s in self._readings_s if time_s <= self.now_s]:
            self._readings_s.remove(time_s)
            if self.state.connected:
                self.tell(MeterRead(EVSE_ID, (self.station.reading(self.now_unix_us),)))

    def _take(self, step: LadderStep) -> None:
        for event in step.events:
            self.state.apply(event, self.now_unix_us)
            self.events.append(event)
            self.event_s.append(self.now_s)
        for call in step.calls:
            check_request(self.station.version, call.action, call.payload)
            self._hold_to_the_rules(call)
            self.calls.append(call)
            self._due.append((self.now_s + LATENCY_S, call))

    def _hold_to_the_rules(self, call: Call) -> None:
        for table in tables(call.payload):
            if "setpoint" in table:
                assert "limit" not in table, call
                assert "dischargeLimit" not in table, call
            if not self.settings.discharge:
                for name in ("setpoint", "limit", "v2xBaseline", "power"):
                    assert table.get(name, 0) >= 0, call


def tables(value: Any) -> Iterator[dict[str, Any]]:
    """Every table inside a payload."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from tables(inner)
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for inner in value:
            yield from tables(inner)
