"""The guard in a little world where everything goes wrong, judged after each step by code that shares nothing with it.

Cars with batteries, loads that jump, links that fall, meters that go stale or tell nonsense, a clock that is stepped,
a program that is killed, and proposals that nobody in his senses would make.
"""

from __future__ import annotations

import math
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from parkwatt.domain.charger.command import ReleasePower, SetPower
from parkwatt.domain.home.event import GridCondition
from parkwatt.site.guard import Circuit, GuardSettings, Proposal, ReadyBy, Verdict
from tests.site.guard.world import TINY_KW, US, VOLTAGE_V, PhysicalCar, World

SEQUENCES = {"developer": 50, "ci": 500, "nightly": 10_000}
GUARD = GuardSettings(switchings_per_day_max=8)
LAG_S_MAX = 3
STEP_S_MAX = 5
# From something that nobody could foresee until the last charger has followed.
SETTLED_S = STEP_S_MAX + LAG_S_MAX + 1
DAY_S = 86_400


def _names() -> st.SearchStrategy[int]:
    return st.integers(0, 2)


def _energies() -> st.SearchStrategy[float]:
    """Near the floor, near full, or anything."""
    return st.one_of(st.floats(11.9, 12.3), st.floats(59.5, 60.0), st.floats(5, 60))


def _powers() -> st.SearchStrategy[float | None]:
    return st.one_of(
        st.none(),
        st.sampled_from([0.0, 11.0, -10.0, 1.0, -1.0, math.nan, math.inf, -math.inf]),
        st.floats(-25, 25),
    )


class GuardMachine(RuleBasedStateMachine):
    """Drives the world at random and holds the promises against it."""

    world: World

    @initialize(
        count=st.integers(1, 3),
        site=st.fixed_dictionaries(
            {
                "import_limit_kw": st.sampled_from([None, 6.0, 12.0, 25.0]),
                "export_limit_kw": st.sampled_from([None, 0.0, 3.0]),
                "fuse_a": st.sampled_from([None, 16.0, 35.0]),
                "interconnection": st.sampled_from(["no_export", "export", "backup_only"]),
                "base_kw": st.floats(-6, 4),
            }
        ),
        shapes=st.lists(
            st.fixed_dictionaries(
                {
                    "energy_kwh": _energies(),
                    "bias_kwh": st.sampled_from([0.0, 1.0, -1.0]),
                    "charge_kw_min": st.sampled_from([0.0, 1.4]),
                    "discharge_kw_min": st.sampled_from([0.0, 0.5]),
                    "may_export": st.booleans(),
                    "phases": st.sampled_from([(0, 1, 2), (0,), (1,)]),
                    "circuit": st.sampled_from([None, "garage"]),
                    "default_kw": st.sampled_from([0.0, 1.4, 11.0]),
                    "lag_s": st.sampled_from([0.0, 1.0, float(LAG_S_MAX)]),
                    "forms_island": st.sampled_from([False, False, True]),
                }
            ),
            min_size=3,
            max_size=3,
        ),
        wanted=st.lists(_powers(), min_size=3, max_size=3),
    )
    def build(
        self,
        count: int,
        site: dict[str, Any],
        shapes: list[dict[str, Any]],
        wanted: list[float | None],
    ) -> None:
        cars = [
            PhysicalCar(name=f"CP-{index}", error_kwh=abs(shape["bias_kwh"]), **shape)
            for index, shape in enumerate(shapes[:count])
        ]
        circuits = (Circuit(name="garage", import_limit_kw=9.0),)
        self.world = World(cars=cars, circuits=circuits, settings=GUARD, **site)
        self.disturbed_s = 0.0
        self.doubt_until_s = -1.0
        self.powers: dict[str, float] = {}
        self.switchings: dict[str, tuple[float, int]] = {}
        self.told_unix_us: dict[str, int] = {}
        self.wanted = wanted
        self._run(2, 2)

    # What happens to the world.

    def _car(self, index: int) -> PhysicalCar:
        return self.world.cars[index % len(self.world.cars)]

    def _disturb(self) -> None:
        self.disturbed_s = self.world.time_s

    def _then(self) -> None:
        """Something happened that nobody could foresee, and the control goes on."""
        self._disturb()
        self._run(2, 2)

    @rule(base_kw=st.floats(-8, 9))
    def load_jumps(self, base_kw: float) -> None:
        self.world.base_kw = base_kw
        self.world.base_kw_highest = max(self.world.base_kw_highest, base_kw)
        self._then()

    @rule(fresh=st.booleans())
    def meter(self, fresh: bool) -> None:
        self.world.meter_is_fresh = fresh
        self._then()

    @rule(index=_names(), linked=st.booleans())
    def link(self, index: int, linked: bool) -> None:
        self._car(index).linked = linked
        self._then()

    @rule(index=_names(), measured=st.sampled_from(["true", "none", "high", "low", "no number"]))
    def charger_meter(self, index: int, measured: str) -> None:
        self._car(index).measured = measured
        self._then()

    @rule(index=_names(), told=st.booleans())
    def charge_state(self, index: int, told: bool) -> None:
        self._car(index).told = told
        self._then()

    @rule(
        index=_names(),
        floor_kwh=st.floats(0, 40),
        consents=st.booleans(),
        on=st.booleans(),
    )
    def wishes(self, index: int, floor_kwh: float, consents: bool, on: bool) -> None:
        car = self._car(index)
        car.floor_kwh, car.may_discharge, car.may_charge = floor_kwh, consents, on
        self._then()

    @rule(index=_names(), in_s=st.integers(-60, 3600), more_kwh=st.floats(-2, 8))
    def departure(self, index: int, in_s: int, more_kwh: float) -> None:
        car = self._car(index)
        asked_kwh = min(car.energy_kwh + more_kwh, car.capacity_kwh)
        car.ready = ReadyBy(self.world.now_unix_us + in_s * US, asked_kwh)
        self._then()

    @rule(index=_names(), spare_s=st.integers(60, 900), missing_kwh=st.floats(0.2, 6))
    def departure_with_little_to_spare(self, index: int, spare_s: int, missing_kwh: float) -> None:
        car = self._car(index)
        asked_kwh = min(car.energy_kwh + car.bias_kwh + missing_kwh, car.capacity_kwh)
        rate_kw = max(self._rate_kw(car), 1.0) * car.charge_efficiency
        in_s = round(missing_kwh / rate_kw * 3600.0) + spare_s
        car.ready = ReadyBy(self.world.now_unix_us + in_s * US, asked_kwh)
        self._then()
        self._run(40, STEP_S_MAX)

    @rule(base_kw=st.floats(2, 9), index=_names(), for_s=st.integers(1, 90))
    def link_falls_while_cars_give(self, base_kw: float, index: int, for_s: int) -> None:
        self.world.base_kw, self.world.meter_is_fresh = base_kw, True
        self.world.base_kw_highest = max(self.world.base_kw_highest, base_kw)
        car = self._car(index)
        car.linked, self.wanted = True, [-22.0] * 3
        self._then()
        self._run(4, 2)
        car.linked = False
        self._disturb()
        self._run(for_s, 1)

    @rule(index=_names(), energy_kwh=_energies())
    def drives(self, index: int, energy_kwh: float) -> None:
        car = self._car(index)
        car.plugged = not car.plugged
        car.held, car.ready = [], None
        if car.plugged:
            car.energy_kwh = energy_kwh
        if not car.linked:
            # Nobody is told that another car came, which is not bound by what the one before was told.
            until_s = self.world.time_s + GUARD.lease_charge_s
            self.doubt_until_s = max(self.doubt_until_s, until_s)
        self._then()

    @rule(by_s=st.integers(-7200, 7200))
    def clock_is_stepped(self, by_s: int) -> None:
        self.world.clock_off_s += by_s
        # By a charger's own clock a lease may run that seems over, or be over. Nobody can ask one without a link.
        doubt_s = max(-by_s, 0) + GUARD.lease_charge_s
        self.doubt_until_s = max(self.doubt_until_s, self.world.time_s + doubt_s)
        self._then()

    @rule(for_s=st.integers(1, 400))
    def program_stands_still(self, for_s: int) -> None:
        self._pass(for_s)
        self._then()

    @rule(
        grid=st.sampled_from(["present", "absent", "unknown"]),
        island_kw=st.sampled_from([0.0, 2.0, 12.0, math.nan]),
        asked=st.sets(_names()),
        return_kw=st.sampled_from([None, None, 0.0, 4.0, math.nan]),
    )
    def grid_changes(
        self, grid: GridCondition, island_kw: float, asked: set[int], return_kw: float | None
    ) -> None:
        world = self.world
        if world.grid != "unknown":
            world.grid_before = world.grid
        world.grid, world.island_kw = grid, island_kw
        world.return_kw = return_kw if grid == "present" else None
        for index, car in enumerate(world.cars):
            car.island_charge = index in asked
        self._then()

    @rule()
    def program_restarts(self) -> None:
        self.world.restart()

    @rule(
        wanted=st.lists(_powers(), min_size=3, max_size=3),
        by_driver=st.booleans(),
        step_s=st.integers(1, STEP_S_MAX),
        count=st.sampled_from([1, 2, 5, 20]),
    )
    def something_is_wanted(
        self, wanted: list[float | None], by_driver: bool, step_s: int, count: int
    ) -> None:
        self.wanted = wanted
        self._run(1, step_s, by_driver=by_driver)
        self._run(count, step_s)

    @rule(step_s=st.integers(1, STEP_S_MAX), out=_names())
    def nothing_is_proposed_for_one(self, step_s: int, out: int) -> None:
        self._disturb()
        self._run(2, step_s, out=out)

    @rule(step_s=st.integers(1, STEP_S_MAX))
    def all_want_all(self, step_s: int) -> None:
        self.wanted = [22.0] * 3
        self._run(6, step_s)

    @rule(step_s=st.integers(1, STEP_S_MAX))
    def all_give_all(self, step_s: int) -> None:
        self.wanted = [-22.0] * 3
        self._run(6, step_s)

    @rule(power_kw=st.sampled_from([1.5, -1.5, 11.0, -10.0]), step_s=st.integers(1, STEP_S_MAX))
    def somebody_flickers(self, power_kw: float, step_s: int) -> None:
        for turn in range(12):
            self.wanted = [power_kw if turn % 2 else 0.0] * 3
            self._run(1 + turn, step_s)

    def _run(
        self, count: int, step_s: int, *, by_driver: bool = False, out: int | None = None
    ) -> None:
        """Steps of control with the same proposals."""
        proposals = [
            Proposal(car.name, 1, power_kw, "because", by_driver=by_driver)
            for index, (car, power_kw) in enumerate(zip(self.world.cars, self.wanted, strict=False))
            if index != out
        ]
        for _ in range(count):
            self._step(proposals, step_s)

    # One step, and what must hold.

    def _step(self, proposals: list[Proposal], step_s: int) -> None:
        world = self.world
        slack_before = self._slack_s()
        verdicts = world.judge(proposals)
        assert [verdict.proposal for verdict in verdicts] == proposals
        for verdict in verdicts:
            self._check_one(verdict)
        self._check_sums(verdicts)
        self._check_calm(verdicts)
        driven = {v.proposal.charger_id for v in verdicts if v.approved is not None}
        self._pass(step_s, controlled=len(driven) > 0)
        self._check_departure(verdicts, slack_before, step_s)

    def _check_one(self, verdict: Verdict) -> None:
        world, car = self.world, self.world.car(verdict.proposal.charger_id)
        if not (car.linked and car.plugged):
            assert verdict.approved is None
            assert verdict.power_kw is None
            return
        assert verdict.approved is not None
        assert verdict.power_kw is not None
        power_kw, command = verdict.power_kw, verdict.approved.command
        assert -car.discharge_kw_max - TINY_KW <= power_kw <= car.charge_kw_max + TINY_KW
        self._check_grid(car, power_kw, released=isinstance(command, ReleasePower))
        assert all(change.message for change in verdict.changes)
        if isinstance(command, SetPower):
            assert command.power_kw == power_kw
            proposed_kw = verdict.proposal.power_kw
            as_proposed = proposed_kw is not None and abs(power_kw - proposed_kw) < 1e-3
            assert as_proposed or verdict.changes
            assert 1 <= command.lease_s <= (30 if power_kw < 0 else 120)
            least_kw = car.charge_kw_min if power_kw > 0 else car.discharge_kw_min
            assert power_kw == 0 or abs(power_kw) >= least_kw - TINY_KW
        elif not (world.is_island and car.forms_island):
            assert abs(power_kw - car.default_kw) < TINY_KW
        if power_kw < 0:
            assert car.may_discharge
            assert car.told
            assert world.meter_is_fresh
            assert world.interconnection != "backup_only"
        if power_kw > 0:
            assert car.may_charge

    def _check_grid(self, car: PhysicalCar, power_kw: float, *, released: bool) -> None:
        """Whatever is wanted: without the grid nothing is discharged by set-point, and nothing charged unasked."""
        world = self.world
        if world.grid != "present":
            assert power_kw >= 0
        if not world.is_island:
            return
        if car.forms_island:
            assert released
            assert power_kw == 0
        elif not car.island_charge:
            assert power_kw == 0
            assert not released or car.default_kw == 0

    def _check_sums(self, verdicts: list[Verdict]) -> None:
        """What is told now keeps every limit together with what the others do now, as far as it can."""
        told = {v.proposal.charger_id: v.power_kw for v in verdicts if v.power_kw is not None}
        world = self.world
        others = {
            car.name: car.power_kw(world.time_s) for car in world.cars if car.name not in told
        }
        if others and world.time_s < self.doubt_until_s:
            return
        for names, weights, most_in, most_out in self._limits():
            charge = sum(max(told[n], 0.0) * weights[n] for n in names if n in told)
            charge_others = sum(max(others[n], 0.0) * weights[n] for n in names if n in others)
            assert charge <= max(most_in - charge_others, 0.0) + 1e-6
            give = sum(max(-told[n], 0.0) * weights[n] for n in names if n in told)
            give_others = sum(max(-others[n], 0.0) * weights[n] for n in names if n in others)
            assert give <= max(most_out - give_others, 0.0) + 1e-6

    def _limits(self) -> list[tuple[list[str], dict[str, float], float, float]]:
        """Each limit: the chargers in it, what a kW of each takes, the most to charge and to discharge."""
        world, found = self.world, []
        every = [car.name for car in world.cars]
        ones = dict.fromkeys(every, 1.0)
        known = world.meter_is_fresh
        base_kw = world.base_kw if known else world.base_kw_highest
        if world.import_limit_kw is not None:
            found.append((every, ones, world.import_limit_kw - base_kw, math.inf))
        if known and world.export_limit_kw is not None:
            found.append((every, ones, math.inf, world.export_limit_kw + base_kw))
        if known:
            bound = [
                car.name
                for car in world.cars
                if world.interconnection != "export" or not car.may_export
            ]
            found.append((bound, ones, math.inf, base_kw))
        if world.is_island:
            asked = [car.name for car in world.cars if car.island_charge and not car.forms_island]
            found.append((asked, ones, _finite(world.island_kw), math.inf))
            found.append(([name for name in every if name not in asked], ones, 0.0, math.inf))
        if world.return_kw is not None:
            return_kw = _finite(world.return_kw)
            found.append((every, ones, return_kw, return_kw))
        garage = [car.name for car in world.cars if car.circuit == "garage"]
        found.append((garage, ones, 9.0, 9.0))
        if known and world.fuse_a is not None:
            for phase, base_a in enumerate(world.phase_base_a()):
                on = [car for car in world.cars if phase in car.phases]
                amperes = {car.name: 1000.0 / VOLTAGE_V / len(car.phases) for car in on}
                names = list(amperes)
                found.append((names, amperes, world.fuse_a - base_a, world.fuse_a + base_a))
        return found

    def _check_calm(self, verdicts: list[Verdict]) -> None:
        now_unix_us = self.world.now_unix_us
        for verdict in verdicts:
            if verdict.power_kw is None:
                continue
            name, power_kw = verdict.proposal.charger_id, verdict.power_kw
            before_kw = self.powers.get(name, 0.0)
            self.powers[name] = power_kw
            must = verdict.proposal.by_driver or self._may_be_urgent(name)
            switches = _sign(power_kw) != _sign(before_kw)
            if switches:
                count, at_unix_us = self.switchings.get(name, (0.0, now_unix_us))
                passed_days = (now_unix_us - at_unix_us) / US / DAY_S
                fades = 0.0 if passed_days < -1 else math.exp(-max(passed_days, 0.0))
                self.switchings[name] = (count * fades + 1, now_unix_us)
                if power_kw != 0 and not must:
                    # A start of free will leaves one switching to stop again.
                    assert count * fades + 2 <= GUARD.switchings_per_day_max / 2 + TINY_KW
            told_unix_us = self.told_unix_us.get(name)
            self.told_unix_us[name] = now_unix_us
            if told_unix_us is None or must:
                continue
            since_s = (now_unix_us - told_unix_us) / US
            if 0 < since_s <= STEP_S_MAX:
                grown_kw = abs(power_kw) - (0.0 if switches else abs(before_kw))
                least_kw = max(self.world.car(name).charge_kw_min, 0.5)
                assert grown_kw <= max(GUARD.ramp_kw_per_s * since_s + TINY_KW, least_kw)

    def _may_be_urgent(self, name: str) -> bool:
        """Whether the departure could ask for power now: its slack may be small, or is shared with others."""
        car = self.world.car(name)
        if car.ready is None or not car.told or not car.may_charge:
            return False
        missing_kwh = car.ready.energy_kwh - car.energy_kwh - car.bias_kwh
        return missing_kwh > 0

    # Departures: while nothing disturbs, one that is possible stays possible.

    def _rate_kw(self, car: PhysicalCar) -> float:
        rate_kw = car.charge_kw_max
        for names, weights, most_in, _ in self._limits():
            if car.name in names:
                rate_kw = min(rate_kw, most_in / weights[car.name])
        return rate_kw

    def _slack_s(self) -> float | None:
        """What is left of the time when a car that is alone were charged without a pause; None: nothing can be said."""
        world = self.world
        car = world.cars[0]
        if len(world.cars) > 1 or not (car.plugged and car.linked and car.told and car.may_charge):
            return None
        rate_kw = self._rate_kw(car)
        # A quarter of each limit is taken to be free over the time to come: with less than that now, nothing was promised.
        fuse_kw = (world.fuse_a or 0.0) * VOLTAGE_V * len(car.phases) / 1000.0
        least_kw = max(car.charge_kw_min, 0.2, (world.import_limit_kw or 0.0) / 4, fuse_kw / 4)
        if car.ready is None or rate_kw <= least_kw or not world.meter_is_fresh:
            return None
        missing_kwh = car.ready.energy_kwh - car.energy_kwh - car.bias_kwh
        if missing_kwh <= 0.15 or car.energy_kwh > car.capacity_kwh - 0.1:
            return math.inf
        takes_s = missing_kwh / (rate_kw * car.charge_efficiency) * 3600.0
        return (car.ready.at_unix_us - world.now_unix_us) / US - takes_s

    def _check_departure(
        self, verdicts: list[Verdict], before_s: float | None, step_s: int
    ) -> None:
        after_s = self._slack_s()
        if before_s is None or after_s is None or verdicts[:1] == []:
            return
        if self.world.cars[0].measured in ("high", "low"):
            return
        lost_s = step_s + 2 * LAG_S_MAX
        enough_s = 60.0
        if before_s >= enough_s + 10 * lost_s:
            assert after_s >= enough_s
        elif self.world.time_s - self.disturbed_s > SETTLED_S:
            # Without slack it is charged with all there is: no more slack is lost.
            assert after_s >= min(before_s, enough_s) - 1.0 - _wobble_s(self.world)

    # Time passes.

    def _pass(self, for_s: int, *, controlled: bool = False) -> None:
        world = self.world
        for _ in range(for_s):
            for car in world.cars:
                holding = car.holding(world.time_s)
                gives = car.power_kw(world.time_s) < 0
                car.flow(world.time_s, 1.0)
                if gives and holding is not None:
                    assert car.energy_kwh >= holding.floor_kwh - 1e-6
            world.time_s += 1.0
            if controlled and world.time_s - self.disturbed_s > SETTLED_S:
                self._check_flows()

    def _check_flows(self) -> None:
        """What really flows keeps every limit, once those that were told to come down had the time to."""
        world = self.world
        if world.time_s < self.doubt_until_s:
            return
        flows = {car.name: car.power_kw(world.time_s) for car in world.cars}
        driven = {car.name for car in world.cars if car.linked and car.holding(world.time_s)}
        for names, weights, most_in, most_out in self._limits():
            charge = sum(max(flows[n], 0.0) * weights[n] for n in names)
            if any(flows[n] > 0 and n in driven for n in names):
                assert charge <= max(most_in, 0.0) + 1e-6
            give = sum(max(-flows[n], 0.0) * weights[n] for n in names)
            if any(flows[n] < 0 and n in driven for n in names):
                assert give <= max(most_out, 0.0) + 1e-6


def _finite(power_kw: float) -> float:
    return power_kw if math.isfinite(power_kw) else 0.0


def _sign(power_kw: float) -> int:
    return (power_kw > 0) - (power_kw < 0)


def _wobble_s(world: World) -> float:
    """A charger that follows late loses the time that it takes."""
    return world.cars[0].lag_s


GuardMachine.TestCase.settings = settings(
    max_examples=SEQUENCES[settings.get_current_profile_name()],
    stateful_step_count=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestGuard = GuardMachine.TestCase
