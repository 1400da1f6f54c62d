"""What the ladder remembers of a charger: plain structs that go through JSON and back, so that a snapshot holds them."""

from __future__ import annotations

from typing import Literal

import msgspec

from parkwatt.domain.charger.command import FrequencyCurve, SetPower
from parkwatt.domain.charger.event import SetpointJudged
from parkwatt.domain.charger.rung import Rung

RateUnit = Literal["W", "A"]
EnterServiceStatus = Literal["none", "setting", "reading", "clearing", "settled"]
DefaultStatus = Literal["none", "asked", "installed", "refused"]
ScheduleView = Literal["none", "follows", "opposes", "differs"]
ProfilePurpose = Literal["TxProfile", "TxDefaultProfile"]


class Form(msgspec.Struct, frozen=True):
    """How a profile is written for this charger: its stack level, the unit of its schedule, and of limits the purpose."""

    stack_level: int
    rate_unit: RateUnit
    purpose: ProfilePurpose = "TxProfile"


class Sent(msgspec.Struct, omit_defaults=True):
    """The profile that the charger was last told to hold. ``dynamic``: it can be updated in place."""

    rung: Rung
    power_kw: float
    transaction_id: str
    sent_unix_us: int
    ends_unix_us: int
    lease_s: int
    form: Form
    dynamic: bool = False
    accepted: bool = False
    curve: FrequencyCurve | None = None

    @property
    def direction(self) -> int:
        """What a check of it is about: the rung, and whether it discharges."""
        return 2 * self.rung + (self.power_kw < 0.0)


class Check(msgspec.Struct, omit_defaults=True):
    """A check that runs. Powers are the meter's, times those of receipt.

    ``before_kw``: when it began; ``distance_kw``: the smallest distance to what was asked for, reached at ``progress_unix_us``;
    ``unanswered``: the charger never answered; ``restarts``: how often another power was asked for meanwhile;
    ``closer``: since the last of those it came closer.
    ``at_rest``: the car was seen at rest before it was asked to discharge on a rung that is not proven; ``by_register``: the
    power is the mean between two readings of the energy.
    """

    began_unix_us: int
    progress_unix_us: int
    before_kw: float | None = None
    accepted_unix_us: int | None = None
    unanswered: bool = False
    distance_kw: float | None = None
    power_kw: float | None = None
    power_unix_us: int = 0
    schedule: ScheduleView = "none"
    scheduled_kw: float | None = None
    trigger_unix_us: int = 0
    trigger_refused: bool = False
    restarts: int = 0
    closer: bool = False
    at_rest: bool = False
    by_register: bool = False


class RegisterMark(msgspec.Struct, frozen=True):
    """The energy of one reading, import less export, and by which of the two registers."""

    energy_kwh: float
    registers: tuple[bool, bool]
    measured_unix_us: int | None
    received_unix_us: int


class Distrust(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rung that is not used, for good or while ``transaction_id`` runs. ``and_above``: nor are those above it."""

    rung: Rung
    reason: str
    and_above: bool
    transaction_id: str | None = None


class EvseMemory(msgspec.Struct, omit_defaults=True):
    """One connection point. ``rung`` drives it, ``highest`` is what it is trusted with, ``proven`` what it has shown.

    ``lease_ends_unix_us``, ``reason``: of what is wanted, the reason also where it was not told again; ``serial``: counts what
    was sent; ``form``, ``tried``: ways to write a profile after a refusal. ``resting``: it is brought to rest before it is
    asked to discharge; ``rested``: the meter has shown that it does not charge, and nothing else was accepted since.
    ``climb_unix_us``: when the search for a rung that discharges began; 0: there is none. ``checked``: when a check in this
    transaction came to something, by `Sent.direction`; ``idle``: it rested where so little was asked for that this shows
    nothing. ``asked_kw``: what it was told lately, and since when; ``held_unix_us``: until then a change that is in no hurry
    waits; 0: none does. ``refusal``: why it does not discharge, as it was told; ``doubted``: the rung that was lost by a
    schedule alone. ``measured_unix_us``: of the newest reading, by the charger's clock, first heard of at
    ``second_began_unix_us``. ``tells_power``: its meter reports power; where it does not, ``mark`` and ``step_kwh`` are of its
    energy registers.
    """

    evse_id: int
    rung: Rung = Rung.LIMITS_ONLY
    highest: Rung = Rung.LIMITS_ONLY
    shown_proven: bool = False
    proven: list[Rung] = msgspec.field(default_factory=list)
    distrusts: list[Distrust] = msgspec.field(default_factory=list)
    ignored_counts: dict[int, int] = msgspec.field(default_factory=dict)
    transaction_id: str = ""
    wanted: SetPower | None = None
    lease_ends_unix_us: int = 0
    reason: str = ""
    sent: Sent | None = None
    serial: int = 0
    form: Form | None = None
    tried: list[Form] = msgspec.field(default_factory=list)
    reinstalled: bool = False
    resting: bool = False
    rested: bool = False
    refusal: str = ""
    doubted: Rung | None = None
    check: Check | None = None
    checked: dict[int, int] = msgspec.field(default_factory=dict)
    idle: bool = False
    asked_kw: list[tuple[int, float]] = msgspec.field(default_factory=list)
    held_unix_us: int = 0
    climb_unix_us: int = 0
    recheck_unix_us: int = 0
    judged: SetpointJudged | None = None
    power_kw: float | None = None
    power_unix_us: int = 0
    measured_unix_us: int = 0
    second_began_unix_us: int = 0
    tells_power: bool = False
    mark: RegisterMark | None = None
    step_kwh: float = 0.0
    frequency_hz: float | None = None


class EnterServiceMemory(msgspec.Struct, omit_defaults=True):
    """The charger's settings for the return to the grid. ``body``: as last sent, None: none of ours is there.

    ``serial``: of the last try; ``due_unix_us``: a report that has not come by then does not come.
    """

    status: EnterServiceStatus = "none"
    body: dict[str, float] | None = None
    serial: int = 0
    due_unix_us: int | None = None


class LadderState(msgspec.Struct, omit_defaults=True):
    """One charger: its connection points and the quirks it showed. Quirks last until its firmware changes.

    ``ready``: it may be told something, at ``ready_unix_us`` if it says nothing before. ``form``: the one it accepted;
    ``limit_purpose``: of the limits that it accepts. ``default_kw``: the limit of the default that was sent last.
    ``no_schedule``: it has none to read back, or one that its meter refuted. ``default_by_evse``: it takes no default for all
    connection points at once. ``hand_clears``: message ids of clears by hand.
    """

    firmware: str = ""
    ready: bool = False
    ready_unix_us: int | None = None
    default: DefaultStatus = "none"
    default_kw: float | None = None
    default_by_evse: bool = False
    default_tried: int = 0
    defaults_open: int = 0
    form: Form | None = None
    limit_purpose: ProfilePurpose = "TxProfile"
    no_schedule: bool = False
    no_trigger: bool = False
    hand_clears: list[str] = msgspec.field(default_factory=list)
    evses: dict[int, EvseMemory] = msgspec.field(default_factory=dict)
    enter_service: EnterServiceMemory = msgspec.field(default_factory=EnterServiceMemory)

    def evse(self, evse_id: int) -> EvseMemory:
        """The connection point, remembered from now on."""
        found = self.evses.get(evse_id)
        if found is None:
            found = self.evses[evse_id] = EvseMemory(evse_id)
        return found

    def forget_quirks(self) -> None:
        """Take nothing for known any more: the charger has other firmware."""
        self.default_by_evse = self.no_schedule = self.no_trigger = False
        self.form, self.limit_purpose = None, "TxProfile"
        for evse in self.evses.values():
            forget_proofs(evse)


def forget_proofs(evse: EvseMemory) -> None:
    """Let a connection point prove anew what it can."""
    evse.proven.clear()
    evse.distrusts.clear()
    evse.ignored_counts.clear()
    evse.tried.clear()
    evse.checked.clear()
    evse.form = evse.judged = None
    evse.resting = evse.rested = False
    evse.climb_unix_us = 0
    evse.refusal, evse.doubted = "", None
