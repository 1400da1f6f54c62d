"""A running site's control, pure: what is observed goes in, events and approved commands come out.

    observe -> (stays, minutes) -> plan, where one is wanted -> propose -> guard -> command

`SiteController.step` looks at everything anew each time, so that nothing depends on having heard of each change. Events
that it
returns are applied already and have to be journalled in their order; those from outside come in through `take`. State is
the fold of both. What is beside the state (readings of the minute that runs, what chargers were told since the start)
may be lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import msgspec
import numpy as np

from parkwatt.domain.site.event import (
    IntervalClosed,
    Measured,
    PlanAdopted,
    PricesReceived,
    SiteEvent,
    SiteSnapshot,
    SiteStarted,
    WishesSet,
)
from parkwatt.domain.site.live_plan import LivePlan
from parkwatt.domain.site.observation import ChargerSeen, GridSeen, Observation
from parkwatt.domain.site.reading import SiteReading
from parkwatt.domain.tariff import Tariff
from parkwatt.site.guard.facts import Proposal, SiteFacts, Verdict
from parkwatt.site.guard.guard import Guard
from parkwatt.site.live import stays
from parkwatt.site.live.calm import Calm
from parkwatt.site.live.cars import CarView, facts_of, view
from parkwatt.site.live.estimate import Tracker, registers_kwh
from parkwatt.site.live.following import BaseFollower
from parkwatt.site.live.metering import CarSample, MinuteMeter, Sample
from parkwatt.site.live.proposing import Now, propose
from parkwatt.site.live.request import Planned, PlanRequest
from parkwatt.site.live.requesting import PlanTrigger, plan_request
from parkwatt.site.live.settings import CarSettings, SiteSettings
from parkwatt.site.live.state import (
    INTERVAL_S,
    STATE_VERSION,
    RunningInterval,
    SiteState,
    encode_state,
)

_US: Final = 1_000_000
_SNAPSHOT_US: Final = 86_400 * _US
# A driver's demand counts as such for this long: ramps and switchings do not hold it up.
_DEMAND_US: Final = 10 * _US
# A set-point that differs by less is not sent again before half of its lease is over.
_SAME_KW: Final = 0.05
_SAME_SHARE: Final = 0.01
# A reduction by the guard is told from here on.
_REDUCED_KW: Final = 0.005
# Another reason for resting is told after this long.
_REASON_US: Final = 10 * _US
# What was released is released again after this time: nothing tells whether the charger heard it.
_RELEASED_US: Final = 60 * _US
# The most of a quarter hour that may be unknown for its energies to count as known.
_KNOWN_SHARE: Final = 0.5


@dataclass(slots=True)
class SiteStep:
    """What one step came to. ``events``: applied already, to be journalled in order. ``commands``: to be sent after
    that, in order;
    each with what was decided. ``request``: a plan is wanted, ``because`` of that.
    """

    events: list[SiteEvent] = field(default_factory=list)
    commands: list[Verdict] = field(default_factory=list)
    request: PlanRequest | None = None
    because: str = ""


class SiteController:
    """One site's control. ``state``: as the journal told it."""

    def __init__(self, settings: SiteSettings, state: SiteState) -> None:
        self.settings = settings
        self.state = state
        self.cars: list[CarView] = []
        self.reading = SiteReading()
        self.base_kw: float | None = None
        self.grid = GridSeen()
        self._guard = Guard(settings.guard, state.guard)
        self._follower = BaseFollower(settings.control.meter_age_s)
        self._meter = MinuteMeter()
        self._trigger = PlanTrigger()
        self._calm = Calm()
        self._trackers = {car.car_id: Tracker() for car in settings.cars}
        self._gone_since: dict[str, int] = {}
        self._demands: dict[str, int] = {}
        self._because = ""
        self._by_hand: dict[str, tuple[Proposal, int]] = {}
        self._sent_for: dict[str, tuple[object, ...]] = {}
        self._tariff: Tariff | None = None
        self._priced: tuple[int, float, float] | None = None
        self._snapshot_unix_us: int | None = None
        self._told_at_base: dict[str, int] = {}

    @property
    def tariff(self) -> Tariff:
        """The site's tariff with all prices that are known."""
        if self._tariff is None:
            self._tariff = self.settings.tariff.with_feeds(self.state.prices.all_series())
        return self._tariff

    def power_kw(self, car: CarView, now_unix_us: int) -> float | None:
        """What a car draws now, as far as it can be told."""
        return self._follower.power_kw(car.key, car.seen, now_unix_us)

    def moved_kwh(self, car_id: str) -> float | None:
        """Import less export of a car's charger, by its registers; None where it tells none."""
        for car in self.cars:
            if car.car_id == car_id:
                return registers_kwh(car.seen)
        return None

    # What comes from outside.

    def take(self, event: SiteEvent, now_unix_us: int) -> None:
        """Something happened that was not decided here: a wish, prices, a calendar. It is to be journalled by the caller."""
        self._apply(event, now_unix_us)
        if isinstance(event, SiteStarted):
            self._trigger.want("the program was started")
        elif isinstance(event, PricesReceived):
            self._trigger.want("new prices are known")
        elif isinstance(event, WishesSet):
            self._demands[event.car_id] = now_unix_us

    def _apply(self, event: SiteEvent, now_unix_us: int) -> None:
        self.state.apply(event, now_unix_us, self.settings.time_zone)
        if isinstance(event, PricesReceived):
            self._tariff = self._priced = None

    def want_plan(self, because: str) -> None:
        """Somebody asks for a new plan: the next step does, where there is anything to plan."""
        self._trigger.want(because)

    def planned(self, planned: Planned | None, now_unix_us: int) -> list[SiteEvent]:
        """A plan that was asked for is there (None: planning failed); adopt it, or keep the one that runs."""
        self._trigger.made(now_unix_us)
        if planned is None:
            return []
        gain = None
        if planned.running_cost is not None and self._plan_that_counts() is not None:
            gain = planned.running_cost - planned.plan.cost
            if gain < self.settings.control.keep_plan_gain:
                return []
        adopted = PlanAdopted(planned.plan, self._because, None if gain is None else round(gain, 4))
        self._apply(adopted, now_unix_us)
        return [adopted]

    # The step.

    def step(self, observation: Observation, now_unix_us: int) -> SiteStep:
        """Look at everything, and decide."""
        step = SiteStep()
        self.reading = observation.reading
        if self.grid.is_island and not observation.grid.is_island:
            self._trigger.want("the grid is back")
        self.grid = observation.grid
        self._look_at_cars(observation, now_unix_us)
        self._follow_stays(step, now_unix_us)
        linked = {car.key: car.seen for car in self.cars if self._is_told(car, now_unix_us)}
        self.base_kw = self._follower.follow(observation.reading, linked, now_unix_us)
        self._measure(step, now_unix_us)
        self._close_intervals(step, now_unix_us)
        self._tell_risks(step, now_unix_us)
        self._command(step, now_unix_us)
        self._ask_for_plan(step, now_unix_us)
        self._keep_snapshot(step, now_unix_us)
        return step

    def _is_told(self, car: CarView, now_unix_us: int) -> bool:
        """Whether the car does what it was told: over its link, or without one while its lease lasts."""
        if not car.here or car.seen.connected:
            return car.here
        point = self.state.guard.point(car.settings.charger_id, car.settings.evse_id)
        return point is not None and point.lease_runs(now_unix_us)

    def _note(self, step: SiteStep, event: SiteEvent, now_unix_us: int) -> None:
        self._apply(event, now_unix_us)
        step.events.append(event)

    def _look_at_cars(self, observation: Observation, now_unix_us: int) -> None:
        self.cars = [self._view(car, observation, now_unix_us) for car in self.settings.cars]

    def _view(self, car: CarSettings, observation: Observation, now_unix_us: int) -> CarView:
        seen = observation.charger(car.charger_id, car.evse_id)
        if seen is None:
            seen = ChargerSeen(car.charger_id, car.evse_id, connected=False, plugged_in=False)
        state, tracker = self.state.car(car.car_id), self._trackers[car.car_id]
        estimate = None
        if seen.plugged_in:
            age_s = self.settings.control.soc_age_s
            estimate = tracker.follow(car.storage, seen, state.soc_told, now_unix_us, age_s)
        reserve = self.grid.reserves.get(car.car_id)
        return view(car, state, seen, estimate, self.settings, now_unix_us, reserve)

    def _follow_stays(self, step: SiteStep, now_unix_us: int) -> None:
        for index, car in enumerate(self.cars):
            stay, gone = car.state.stay, not car.seen.plugged_in
            if stay is None and car.here:
                self._note(step, stays.began(car, now_unix_us), now_unix_us)
                self._view_again(index, now_unix_us)
            elif stay is not None and gone:
                since_unix_us = min(self._gone_since.get(car.car_id, now_unix_us), now_unix_us)
                self._gone_since[car.car_id] = since_unix_us
                # Without a link nothing tells that the car is gone: it is taken to be there until the charger is back.
                if car.seen.connected and now_unix_us - since_unix_us >= stays.GONE_US:
                    ended = stays.ended(car, stay, since_unix_us, car.departure)
                    self._note(step, ended, now_unix_us)
                    self._trackers[car.car_id].forget()
                    self._follower.forget(car.key)
                    self._view_again(index, now_unix_us)
            if not gone:
                self._gone_since.pop(car.car_id, None)

    def _view_again(self, index: int, now_unix_us: int) -> None:
        """What just happened to a car changes what is wished of it."""
        car, site = self.cars[index], self.settings
        reserve = self.grid.reserves.get(car.car_id)
        self.cars[index] = view(
            car.settings, car.state, car.seen, car.estimate, site, now_unix_us, reserve
        )

    # Measuring.

    def _measure(self, step: SiteStep, now_unix_us: int) -> None:
        reading, fresh_us = self.reading, self.settings.control.meter_age_s * _US

        def fresh(value: float | None, at_unix_us: int) -> float | None:
            return value if abs(now_unix_us - at_unix_us) <= fresh_us else None

        solar_kw = fresh(reading.solar_kw, reading.solar_unix_us)
        if not self.settings.has_solar:
            solar_kw = 0.0
        load_kw = fresh(reading.load_kw, reading.load_unix_us)
        lost = any(car.here and not self._is_told(car, now_unix_us) for car in self.cars)
        if load_kw is None and self.base_kw is not None and solar_kw is not None and not lost:
            load_kw = max(self.base_kw + solar_kw, 0.0)
        cars = {
            car.car_id: CarSample(
                self._follower.power_kw(car.key, car.seen, now_unix_us),
                car.seen.import_kwh,
                car.seen.export_kwh,
                None if car.estimate is None else car.estimate.energy_kwh,
            )
            for car in self.cars
            if car.state.stay is not None
        }
        grid_kw = fresh(reading.grid_kw, reading.grid_unix_us)
        sample = Sample(grid_kw, solar_kw, load_kw, cars)
        for measured in self._meter.add(sample, now_unix_us):
            self._close_before(step, measured.start_unix_s, now_unix_us)
            self._note(step, self._with_possible(measured), now_unix_us)

    def _with_possible(self, measured: Measured) -> Measured:
        minutes = dict(measured.cars)
        for car in self.cars:
            minute, stay = minutes.get(car.car_id), car.state.stay
            if minute is not None and stay is not None:
                minutes[car.car_id] = stays.with_possible(
                    car, stay, minute, measured, self.settings
                )
        return msgspec.structs.replace(measured, cars=minutes)

    def _close_intervals(self, step: SiteStep, now_unix_us: int) -> None:
        self._close_before(step, now_unix_us // _US, now_unix_us)

    def _close_before(self, step: SiteStep, unix_s: int, now_unix_us: int) -> None:
        """Close the quarter of an hour that runs, where it ended by ``unix_s``."""
        interval = self.state.interval
        if interval is not None and interval.start_unix_s + INTERVAL_S <= unix_s:
            self._note(step, self._closed(interval), now_unix_us)

    def _closed(self, interval: RunningInterval) -> IntervalClosed:
        edges = np.array(
            [interval.start_unix_s, interval.start_unix_s + INTERVAL_S], dtype=np.int64
        )
        least_s = _KNOWN_SHARE * INTERVAL_S

        def whole(energy_kwh: float, known_s: float) -> float | None:
            """The energy of the whole quarter, where enough of it is known."""
            return round(energy_kwh * INTERVAL_S / known_s, 5) if known_s >= least_s else None

        return IntervalClosed(
            start_unix_s=interval.start_unix_s,
            duration_s=INTERVAL_S,
            import_price_per_kwh=_known(self.tariff.import_price.over(edges)[0]),
            export_price_per_kwh=_known(self.tariff.export_price.over(edges)[0]),
            import_kwh=whole(interval.import_kwh, interval.grid_s),
            export_kwh=whole(interval.export_kwh, interval.grid_s),
            load_kwh=whole(interval.load_kwh, interval.load_s),
            solar_kwh=whole(interval.solar_kwh, interval.solar_s),
            coverage=round(min(interval.grid_s / INTERVAL_S, 1.0), 3),
            cars=interval.cars,
        )

    def _tell_risks(self, step: SiteStep, now_unix_us: int) -> None:
        for car in self.cars:
            if not car.here:
                continue
            risk = stays.at_risk(car, self.settings, self.base_kw, now_unix_us)
            if risk is not None and stays.is_new_risk(self.state, risk):
                self._note(step, risk, now_unix_us)

    # Commanding.

    def _command(self, step: SiteStep, now_unix_us: int) -> None:
        proposals = self._proposals(now_unix_us)
        if not proposals:
            return
        for verdict in self._guard.judge(proposals, self._facts(now_unix_us), now_unix_us):
            if verdict.approved is None or not self._is_worth_sending(verdict, now_unix_us):
                continue
            self._send(step, verdict, now_unix_us)

    def _proposals(self, now_unix_us: int) -> list[Proposal]:
        now_unix_s = now_unix_us // _US
        buy, sell = self._prices_now(now_unix_s)
        now = Now(now_unix_s, self.base_kw, buy, sell, self._plan_that_counts(), self.grid)
        found = []
        for proposal in propose(self.cars, now, self.settings):
            car = next(
                car
                for car in self.cars
                if car.settings.charger_id == proposal.charger_id
                and car.settings.evse_id == proposal.evse_id
            )
            said = self._as_said(proposal, car, now_unix_us)
            found.append(self._calmed(said, car, now_unix_us))
        return found

    def _plan_that_counts(self) -> LivePlan | None:
        """The plan that is followed: none that was made before the grid took the house over again."""
        plan, returned_unix_us = self.state.plan, self.grid.returned_unix_us
        if plan is None or returned_unix_us is None:
            return plan
        return plan if plan.made_unix_s * _US >= returned_unix_us - _US else None

    def _calmed(self, proposal: Proposal, car: CarView, now_unix_us: int) -> Proposal:
        """The proposal without the flicker of clouds and kettles."""
        held = self.state.guard.point(proposal.charger_id, proposal.evse_id)
        if held is None or not held.lease_runs(now_unix_us):
            return proposal
        most = self.settings.guard.switchings_lately_max
        used_share = min(held.switchings_lately(now_unix_us) / most, 1.0)
        return self._calm.smooth(car.key, proposal, held.power_kw, used_share, now_unix_us)

    def _as_said(self, proposal: Proposal, car: CarView, now_unix_us: int) -> Proposal:
        """The proposal, or what a person set by hand; and whether it is the driver's demand, or only follows the meter."""
        by_hand = self._by_hand.get(car.key)
        if by_hand is not None:
            if now_unix_us < by_hand[1]:
                return replace(by_hand[0], by_driver=True)
            del self._by_hand[car.key]
        demanded_unix_us = self._demands.get(car.car_id)
        demanded = (
            demanded_unix_us is not None and 0 <= now_unix_us - demanded_unix_us <= _DEMAND_US
        )
        same = self._sent_for.get(car.key) == self._intent(car, now_unix_us)
        return replace(
            proposal, by_driver=demanded, following=proposal.following and same and not demanded
        )

    def _intent(self, car: CarView, now_unix_us: int) -> tuple[object, ...]:
        """What a set-point is meant for: while it is the same, only the meter moves."""
        plan = self.state.plan
        step = None if plan is None else plan.step_at(now_unix_us // _US)
        return car.wishes.mode, None if plan is None else plan.made_unix_s, step

    def hold_by_hand(self, proposal: Proposal, until_unix_us: int) -> None:
        """A person sets a power (None takes it back): it stands in for the plan's, and passes the guard like it."""
        key = f"{proposal.charger_id}/{proposal.evse_id}"
        if proposal.power_kw is None:
            self._by_hand.pop(key, None)
        else:
            self._by_hand[key] = (proposal, until_unix_us)

    def _at(self, charger_id: str, evse_id: int) -> CarView:
        """The car at a connection point that a proposal was made for."""
        return next(
            car
            for car in self.cars
            if (car.settings.charger_id, car.settings.evse_id) == (charger_id, evse_id)
        )

    def _prices_now(self, now_unix_s: int) -> tuple[float, float]:
        """What import costs and export earns now; where it is not known, what the plan takes it for."""
        minute = now_unix_s // 60
        if self._priced is None or self._priced[0] != minute:
            edges = np.array([minute * 60, minute * 60 + 60], dtype=np.int64)
            tariff = self.tariff
            prices = (
                float(tariff.import_price.over(edges)[0]),
                float(tariff.export_price.over(edges)[0]),
            )
            self._priced = minute, *prices
        _, buy, sell = self._priced
        plan = self.state.plan
        step = None if plan is None else plan.step_at(now_unix_s)
        if plan is not None and step is not None:
            buy = plan.import_price_per_kwh[step] if np.isnan(buy) else buy
            sell = plan.export_price_per_kwh[step] if np.isnan(sell) else sell
        return (0.0 if np.isnan(buy) else buy), (0.0 if np.isnan(sell) else sell)

    def _facts(self, now_unix_us: int) -> SiteFacts:
        settings = self.settings
        return SiteFacts(
            base_kw=self.base_kw,
            base_kw_highest=self._base_highest_kw(),
            phase_base_a=self._phase_base_a(now_unix_us),
            import_limit_kw=settings.import_limit_kw,
            export_limit_kw=settings.export_limit_kw,
            fuse_a=settings.fuse_a,
            phase_count=settings.phase_count,
            interconnection=settings.interconnection,
            circuits=settings.circuits,
            cars=tuple(
                facts_of(car, self._follower.power_kw(car.key, car.seen, now_unix_us), self.grid)
                for car in self.cars
            ),
            grid=self.grid.condition,
            grid_before=self.grid.before,
            island_kw=self.grid.island_kw,
            return_kw=self.grid.return_kw,
        )

    def _base_highest_kw(self) -> float:
        """What the house may draw while its meter tells nothing: the most of late, or what its owner says if that is more."""
        seen_kw = max(self.state.base_highest_kw.values(), default=0.0)
        settings = self.settings
        said_kw, limit_kw = settings.household_kw_max, settings.import_limit_kw
        if not settings.has_meter or limit_kw is None:
            return seen_kw
        # A house that may fill its connection would leave no car a charge: half of it, as where nothing is known.
        return max(seen_kw, said_kw if said_kw < limit_kw else limit_kw / 2.0)

    def _phase_base_a(self, now_unix_us: int) -> tuple[float, ...] | None:
        """Current of load less sun by phase: the grid meter's less the chargers'. None where no fresh meter tells it."""
        reading = self.reading
        if reading.phase_current_a is None:
            return None
        if now_unix_us - reading.grid_unix_us > self.settings.control.meter_age_s * _US:
            return None
        base_a = list(reading.phase_current_a)
        for car in self.cars:
            power_kw = self._follower.power_kw(car.key, car.seen, now_unix_us) or 0.0
            phases = [phase for phase in car.settings.phases if phase < len(base_a)]
            for phase in phases:
                base_a[phase] -= power_kw * 1000.0 / (len(phases) * car.settings.voltage_v)
        return tuple(base_a)

    def _is_worth_sending(self, verdict: Verdict, now_unix_us: int) -> bool:
        """Whether the charger does not hold just that already, for long enough."""
        proposal = verdict.proposal
        key = f"{proposal.charger_id}/{proposal.evse_id}"
        held = self.state.guard.point(proposal.charger_id, proposal.evse_id)
        if held is None or verdict.power_kw is None:
            return True
        if now_unix_us < held.decided_unix_us:
            return True  # the clock was put back: when the lease ends is not known
        if verdict.lease_s == 0 and held.is_released:
            known = held.rules == tuple(change.rule for change in verdict.changes)
            return not known or now_unix_us - held.decided_unix_us >= _RELEASED_US
        left_us = held.lease_end_unix_us - now_unix_us
        if left_us <= verdict.lease_s * _US // 2:
            return True
        if verdict.changes and abs(verdict.power_kw) < abs(held.power_kw) - _REDUCED_KW:
            return True  # a limit asks for less: that is never too little to be told
        change_kw = abs(verdict.power_kw - held.power_kw)
        if change_kw < max(_SAME_KW, _SAME_SHARE * abs(held.power_kw)):
            # A charger that rests for another reason than before: who asks why is to be told the one of now.
            rules = tuple(change.rule for change in verdict.changes)
            rested_us = now_unix_us - held.decided_unix_us
            is_resting = abs(held.power_kw) < _SAME_KW
            return is_resting and rules != held.rules and rested_us >= _REASON_US
        # Where nothing was measured since the charger was told last, telling it more would be guessing.
        measured_unix_us = self._told_at_base.get(key, 0)
        return not proposal.following or self._follower.base_unix_us != measured_unix_us

    def _send(self, step: SiteStep, verdict: Verdict, now_unix_us: int) -> None:
        proposal = verdict.proposal
        key = f"{proposal.charger_id}/{proposal.evse_id}"
        car = self._at(proposal.charger_id, proposal.evse_id)
        actual_kw = self._follower.power_kw(key, car.seen, now_unix_us)
        self._follower.told(key, verdict.power_kw, actual_kw or 0.0, now_unix_us)
        self._told_at_base[key] = self._follower.base_unix_us
        self._sent_for[key] = self._intent(car, now_unix_us)
        self._note(step, self._guard.decided(verdict), now_unix_us)
        step.commands.append(verdict)

    # Planning, and what is kept.

    def _ask_for_plan(self, step: SiteStep, now_unix_us: int) -> None:
        if self.grid.is_island:
            return  # no plan knows what an outage brings
        control = self.settings.control
        self._trigger.look(
            self.cars,
            self.state,
            self.base_kw,
            control.replan_s,
            control.forecast_band_kw,
            now_unix_us,
        )
        because = self._trigger.take(now_unix_us)
        if because is None:
            return
        self._because = step.because = because
        step.request = plan_request(self.state, self.cars, self.tariff, self.settings, now_unix_us)

    def _keep_snapshot(self, step: SiteStep, now_unix_us: int) -> None:
        if self._snapshot_unix_us is None:
            self._snapshot_unix_us = now_unix_us
        elif now_unix_us - self._snapshot_unix_us >= _SNAPSHOT_US:
            self._snapshot_unix_us = now_unix_us
            step.events.append(SiteSnapshot(STATE_VERSION, encode_state(self.state)))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)
