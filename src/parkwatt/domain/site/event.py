"""Everything that happens at a site, as it is written to the journal beside its chargers' own events.

The entry's subject is `SUBJECT`. The same events give the same state, live and after a restart.
"""

from __future__ import annotations

from typing import Final

import msgspec

from parkwatt.domain.site.live_plan import LivePlan
from parkwatt.domain.site.wish import Departure, Trip, Wishes

SUBJECT: Final = "site"
SNAPSHOT: Final = "site.snapshot"


class _Event(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", gc=False):
    """What all events share: a tag, defaults left out."""


class SiteStarted(_Event, frozen=True, tag="site.started"):
    """The program began to run the site, also after a crash. Set-points of before have no hold on what follows."""

    version: str


class WishesSet(_Event, frozen=True, tag="wish.set"):
    """A car's wishes from now on. ``origin``: who said so. ``until_departure``: after it those before hold again."""

    car_id: str
    wishes: Wishes
    origin: str
    until_departure: bool = False


class DepartureAsked(_Event, frozen=True, tag="wish.departure"):
    """A departure that the driver names for the stay that runs, or the next; None takes it back."""

    car_id: str
    departure: Departure | None
    origin: str


class TripsRead(_Event, frozen=True, tag="wish.trips"):
    """All trips ahead that the car's calendar holds; they replace those before. Journalled where they changed."""

    car_id: str
    trips: tuple[Trip, ...]
    source: str


class SocTold(_Event, frozen=True, tag="car.soc"):
    """A state of charge from elsewhere than the charger: the driver, or the car's own service. ``origin``: who.

    ``moved_kwh``: import less export by the charger's registers at that time, so that what moves later can be counted on.
    """

    car_id: str
    soc: float
    measured_unix_us: int
    origin: str
    moved_kwh: float | None = None


class PricesReceived(_Event, frozen=True, tag="prices.received"):
    """Prices of a feed, [N] steps from ``start_unix_s`` on, in currency per kWh; None where the source has a hole.

    They take the place of what was known for these times; a hole leaves that as it was. ``feed``: the name by which the
    tariff asks for them; ``source``: where they came from, for words; ``notes``: what was wrong with them and how it was read.
    """

    feed: str
    source: str
    start_unix_s: int
    step_s: int
    price_per_kwh: tuple[float | None, ...]
    notes: tuple[str, ...] = ()


class SourceChanged(_Event, frozen=True, tag="source.changed"):
    """A source (price feed, meter, broker, calendar) stopped to give what it should, or does again. ``reason``: in words."""

    source: str
    ok: bool
    reason: str = ""


class CarMinute(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A car in a minute's reading: mean power and energy at the charger (by its registers where it has any), and the
    battery's
    energy as it was known at the end. ``departs_unix_s``, ``asked_kwh``: what was asked of it then; ``possible_kwh``:
    what charging
    at full power ever since would have brought by now.
    """

    power_kw: float | None = None
    energy_kwh: float | None = None
    in_kwh: float = 0.0
    out_kwh: float = 0.0
    departs_unix_s: int | None = None
    asked_kwh: float | None = None
    possible_kwh: float | None = None


class Measured(_Event, frozen=True, tag="site.measured"):
    """Means over [``start_unix_s``, + ``duration_s``), None where nothing was told. Kept: limits are held against it.

    ``load_kw``: household without chargers. ``export_kw``: the mean of what flowed out, so that import is ``grid_kw`` +
    ``export_kw``.
    ``coverage``: the share of the span that readings stand for. ``grid_kw_max``, ``grid_kw_min``: the extremes of
    single readings.
    """

    start_unix_s: int
    duration_s: int
    grid_kw: float | None = None
    export_kw: float | None = None
    solar_kw: float | None = None
    load_kw: float | None = None
    grid_kw_max: float | None = None
    grid_kw_min: float | None = None
    coverage: float = 1.0
    cars: dict[str, CarMinute] = {}


class CarInterval(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A car in an interval: energy at the charger in and out (both ≥ 0, AC), and in the battery at the interval's end."""

    in_kwh: float = 0.0
    out_kwh: float = 0.0
    energy_kwh: float | None = None
    plugged_s: int = 0


class IntervalClosed(_Event, frozen=True, tag="site.interval"):
    """A quarter of an hour is over: what the site exchanged, and at which prices. Kept for good.

    Energies in kWh, None where unknown. Import and export are metered apart: within the interval both may be above 0.
    ``coverage``: the share of the interval in which the grid meter told anything.
    """

    start_unix_s: int
    duration_s: int
    import_price_per_kwh: float | None = None
    export_price_per_kwh: float | None = None
    import_kwh: float | None = None
    export_kwh: float | None = None
    load_kwh: float | None = None
    solar_kwh: float | None = None
    coverage: float = 0.0
    cars: dict[str, CarInterval] = {}


class StayBegan(_Event, frozen=True, tag="stay.began"):
    """A car was plugged in. ``energy_kwh``: in the battery, None where it is not known."""

    stay_id: str
    car_id: str
    charger_id: str
    evse_id: int
    transaction_id: str
    since_unix_s: int
    energy_kwh: float | None = None


class StayEnded(_Event, frozen=True, tag="stay.ended"):
    """A car left. ``departure``: what had been asked, None: nothing. ``energy_kwh_possible``: the most that charging at full
    power within the limits from when it was asked would have brought. ``kept``: None where nothing was asked or the
    energy is not
    known; False only where it was possible. ``reason``: in words. ``energy_kwh_lowest``: the least while it was
    discharged.
    """

    stay_id: str
    car_id: str
    at_unix_s: int
    energy_kwh: float | None = None
    departure: Departure | None = None
    energy_kwh_asked: float | None = None
    energy_kwh_possible: float | None = None
    energy_kwh_lowest: float | None = None
    kept: bool | None = None
    reason: str = ""


class PlanAdopted(_Event, frozen=True, tag="plan.adopted"):
    """The site follows this plan from now on. ``because``: what asked for it; ``gain``: what it saves against keeping the one
    before, None where there was none to keep.
    """

    plan: LivePlan
    because: str
    gain: float | None = None


class PromiseAtRisk(_Event, frozen=True, tag="promise.at_risk"):
    """What was asked for a departure is not possible: told at once, with how much and when there will be enough."""

    car_id: str
    departure: Departure
    energy_kwh_asked: float
    energy_kwh_possible: float
    ready_unix_s: int | None
    message: str


class GuardChange(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One rule by which the guard changed a set-point. ``rule``: its short name; ``message``: why, with numbers."""

    rule: str
    from_kw: float
    to_kw: float
    message: str


class SetpointDecided(_Event, frozen=True, tag="setpoint.decided"):
    """What the guard let pass for one charger and why. ``proposed_kw``: what was asked of it. ``following``: only the meter
    moved; such ones are telemetry.
    """

    charger_id: str
    evse_id: int
    car_id: str
    power_kw: float
    proposed_kw: float
    lease_s: int
    reason: str
    changes: tuple[GuardChange, ...] = ()
    following: bool = False


class SiteSnapshot(_Event, frozen=True, tag="site.snapshot"):
    """The state after all entries before this one, so that a restart folds only what came later. ``version``: of its format."""

    version: int
    state: msgspec.Raw


SiteEvent = (
    SiteStarted
    | WishesSet
    | DepartureAsked
    | TripsRead
    | SocTold
    | PricesReceived
    | SourceChanged
    | Measured
    | IntervalClosed
    | StayBegan
    | StayEnded
    | PlanAdopted
    | PromiseAtRisk
    | SetpointDecided
    | SiteSnapshot
)

# Every kind of entry in the journal that is an event of a site.
KINDS: Final = frozenset(str(member.__struct_config__.tag) for member in SiteEvent.__args__)
# Who said something: `api`, `by Anna`, `by token Garage button`.
Origin = str

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[SiteEvent] = msgspec.json.Decoder(SiteEvent)


def kind(event: SiteEvent) -> str:
    """The event's tag, the journal's ``kind``."""
    return str(event.__struct_config__.tag)


def is_telemetry(event: SiteEvent) -> bool:
    """Whether retention may thin the event."""
    if isinstance(event, SetpointDecided):
        return event.following
    return False


def encode(event: SiteEvent) -> bytes:
    """The event as the journal's JSON."""
    return _encoder.encode(event)


def decode(payload: bytes) -> SiteEvent:
    """An event from the journal's JSON.

    Raises msgspec.ValidationError where it is none.
    """
    return _decoder.decode(payload)
