"""The guard: every command to a charger passes here, and nothing else makes one.

All proposals of a site are judged at once, since the cars share its connection. Cars that need the power for their
departure come first. For each car the rules are applied so that the strongest has the last word: what was proposed is
brought within consent, floor and departure, then within the limits of charger, circuit, phases and connection. What
remains is a span of powers, and calm (least power, switchings, ramp) chooses in it. Each change is told with its rule
and its figures.

The guard keeps no clock and changes no state: `Guard.decided` makes the event of a verdict, and whoever runs the site
writes it to the journal and hands it to `GuardState.apply`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from parkwatt.domain.charger.command import Approved, FrequencyCurve, ReleasePower, SetPower
from parkwatt.domain.site.event import GuardChange, SetpointDecided
from parkwatt.site.guard import calm
from parkwatt.site.guard.caps import Cap, charge_caps, discharge_caps, ready_reason
from parkwatt.site.guard.facts import CarFacts, Proposal, SiteFacts, Verdict
from parkwatt.site.guard.known import (
    Doing,
    believable_car,
    believable_site,
    doing_of_driven,
    doing_of_other,
)
from parkwatt.site.guard.readiness import Need, needs, order
from parkwatt.site.guard.room import Room, charging_room, discharging_room
from parkwatt.site.guard.settings import GuardSettings
from parkwatt.site.guard.state import (
    READY_RULE,
    SAME_KW,
    GuardState,
    PointState,
    direction,
    point_key,
)
from parkwatt.site.guard.words import kw

# A smaller change is not told.
_TOLD_KW = 5e-4
_CALM_RULES = frozenset({"ramp", "wait"})


@dataclass(slots=True)
class _Power:
    """A power on its way through the rules."""

    kw: float
    changes: list[GuardChange] = field(default_factory=list)

    def become(self, rule: str, power_kw: float, reason: str) -> None:
        """Change it, and note why."""
        if power_kw and abs(power_kw - self.kw) < SAME_KW:
            return
        power_kw += 0.0  # no −0
        if abs(power_kw - self.kw) > _TOLD_KW:
            less = abs(power_kw) < abs(self.kw) and power_kw * self.kw >= 0
            verb = "cut" if less else "raised" if power_kw > self.kw else "changed"
            message = f"{verb} from {kw(self.kw)} to {kw(power_kw)}: {reason}"
            self.changes.append(GuardChange(rule, round(self.kw, 4), round(power_kw, 4), message))
        self.kw = power_kw

    def cap(self, cap: Cap, sign: int) -> None:
        """Bring its magnitude in one direction down to what a rule allows."""
        if sign * self.kw > cap.most_kw:
            self.become(cap.rule, sign * cap.most_kw, cap.reason)


@dataclass(slots=True)
class _Scene:
    """What is true of all cars in this step."""

    site: SiteFacts
    cars: dict[str, CarFacts]
    doing: dict[str, Doing]
    charging: Room
    discharging: Room
    needs: dict[str, Need]
    now_unix_us: int


class Guard:
    """Judges proposals. ``state`` is read only: apply the events made by `Guard.decided` to it."""

    def __init__(self, settings: GuardSettings, state: GuardState) -> None:
        self._settings = settings
        self._state = state

    def judge(
        self, proposals: Sequence[Proposal], facts: SiteFacts, now_unix_us: int
    ) -> list[Verdict]:
        """One verdict a proposal, in the order given. ``proposals``: all of the site at this moment; chargers without
        one count with the worst they may do. Never raises for what it is proposed or what a meter told.
        """
        scene, driven = self._scene(proposals, facts, now_unix_us)
        found: dict[int, Verdict] = {}
        for key in order(list(driven), scene.needs, scene.doing, self._settings):
            for index in driven[key]:
                found[index] = self._one(scene, key, proposals[index])
        return [
            found[index] if index in found else _nothing(proposal, scene)
            for index, proposal in enumerate(proposals)
        ]

    @staticmethod
    def decided(verdict: Verdict) -> SetpointDecided:
        """The event of a verdict, to be journalled and applied when its command goes out.

        A release has a lease of 0 and the power that the charger then takes of its own. Raises ValueError where the
        verdict sends nothing.
        """
        if verdict.approved is None or verdict.power_kw is None:
            raise ValueError("a verdict that sends nothing decides nothing")
        proposal, changes = verdict.proposal, verdict.changes
        proposed_kw = proposal.power_kw
        if proposed_kw is None or not math.isfinite(proposed_kw):
            proposed_kw = changes[0].from_kw if changes else verdict.power_kw
        return SetpointDecided(
            charger_id=proposal.charger_id,
            evse_id=proposal.evse_id,
            car_id=verdict.car_id,
            power_kw=verdict.power_kw,
            proposed_kw=proposed_kw,
            lease_s=verdict.lease_s,
            reason=verdict.approved.command.reason,
            changes=changes,
            following=verdict.following,
        )

    def _scene(
        self, proposals: Sequence[Proposal], facts: SiteFacts, now_unix_us: int
    ) -> tuple[_Scene, dict[str, list[int]]]:
        site, settings, points = believable_site(facts), self._settings, self._state.points
        cars = {point_key(c.charger_id, c.evse_id): believable_car(c) for c in site.cars}
        driven: dict[str, list[int]] = {}
        for index, proposal in enumerate(proposals):
            key = point_key(proposal.charger_id, proposal.evse_id)
            car = cars.get(key)
            if car is not None and car.linked and car.plugged_in:
                driven.setdefault(key, []).append(index)
        doing = {
            key: (doing_of_driven if key in driven else doing_of_other)(
                car, points.get(key), settings, now_unix_us
            )
            for key, car in cars.items()
        }
        charging, discharging = charging_room(site, cars), discharging_room(site, cars)
        for key, does in doing.items():
            charging.count(key, does.stuck_import_kw, does.highest_kw)
            discharging.count(key, does.stuck_export_kw, -does.lowest_kw)
        able = {key: cars[key] for key in driven}
        need = needs(able, points, charging, site, settings, now_unix_us)
        return _Scene(site, cars, doing, charging, discharging, need, now_unix_us), driven

    def _one(self, scene: _Scene, key: str, proposal: Proposal) -> Verdict:
        car, doing, need = scene.cars[key], scene.doing[key], scene.needs[key]
        if scene.site.is_island and car.forms_island:
            return _left_alone(proposal, car, self._state.points.get(key))
        power = _proposed(proposal, car)
        left_kw, limit = scene.charging.left_kw(key, doing.stuck_import_kw)
        charge = charge_caps(car, left_kw, limit)
        left_kw, limit = scene.discharging.left_kw(key, doing.stuck_export_kw)
        still_kw = -doing.lowest_kw
        discharge = discharge_caps(car, need, still_kw, left_kw, limit, self._settings)
        for cap in discharge:
            power.cap(cap, -1)
        if need.is_urgent and power.kw < car.charge_kw_max:
            power.become(READY_RULE, car.charge_kw_max, ready_reason(car, need))
        for cap in charge:
            power.cap(cap, 1)
        span = self._span(scene, key, charge, discharge)
        self._choose(power, span, scene, key, by_driver=proposal.by_driver)
        aim_kw = power.kw
        self._approach(power, span, scene, key, by_driver=proposal.by_driver)
        curve = _curve(proposal, power, span)
        _take(scene, key, aim_kw, power.kw, curve)
        return self._verdict(scene, key, proposal, power, curve)

    def _span(self, scene: _Scene, key: str, charge: list[Cap], discharge: list[Cap]) -> calm.Span:
        car, point = scene.cars[key], self._state.points.get(key)
        return calm.Span(
            charge_kw_most=min(cap.most_kw for cap in charge),
            discharge_kw_most=min(cap.most_kw for cap in discharge),
            charge_kw_least=car.charge_kw_min,
            discharge_kw_least=car.discharge_kw_min,
            before=0 if point is None else point.does(scene.now_unix_us),
        )

    def _choose(
        self, power: _Power, span: calm.Span, scene: _Scene, key: str, *, by_driver: bool
    ) -> None:
        """Least power and switchings: what the car is to do."""
        needed = scene.needs[key].is_urgent and power.kw > 0
        sign = 1 if power.kw > 0 else -1
        reason = f"the charger does nothing below {kw(span.least_kw(sign))}"
        power.become("least", calm.at_least(power.kw, span, needed=needed), reason)
        if by_driver or needed:
            return
        point = self._state.points.get(key)
        granted_kw, reason = calm.switched(power.kw, span, point, self._settings, scene.now_unix_us)
        power.become("switching", granted_kw, reason)

    def _approach(
        self, power: _Power, span: calm.Span, scene: _Scene, key: str, *, by_driver: bool
    ) -> None:
        """Ramp, and room that others have yet to leave: what the car is told now, on the way to what it is to do."""
        doing, sign = scene.doing[key], direction(power.kw)
        if sign == 0:
            return
        settings, now_kw = self._settings, doing.now_kw
        if not by_driver and not scene.needs[key].is_urgent:
            point = self._state.points.get(key)
            next_kw = calm.ramped(power.kw, now_kw, span, point, settings, scene.now_unix_us)
            reason = f"it rises by at most {settings.ramp_kw_per_s:g} kW a second"
            power.become("ramp", next_kw, reason)
        if sign > 0:
            free_kw = scene.charging.free_kw(key, doing.highest_kw)
        else:
            free_kw = scene.discharging.free_kw(key, -doing.lowest_kw)
        magnitude_kw = abs(power.kw)
        next_kw = min(magnitude_kw, max(sign * now_kw, free_kw))
        if next_kw < min(span.least_kw(sign), magnitude_kw) - SAME_KW:
            next_kw = 0.0
        power.become("wait", sign * next_kw, "others have yet to come down")

    def _verdict(
        self,
        scene: _Scene,
        key: str,
        proposal: Proposal,
        power: _Power,
        curve: FrequencyCurve | None,
    ) -> Verdict:
        car, settings, point = scene.cars[key], self._settings, self._state.points.get(key)
        changes = tuple(power.changes)
        reason = proposal.reason
        if changes:
            reason = f"{reason}; {changes[-1].message}" if reason else changes[-1].message
        if proposal.power_kw is None and not changes:
            release = Approved(car.charger_id, ReleasePower(car.evse_id, proposal.reason))
            return Verdict(proposal, power.kw, 0, release, car_id=car.car_id)
        lowest_kw = power.kw + (0.0 if curve is None else min(curve.power_kw))
        lease_s = settings.lease_discharge_s if lowest_kw < 0 else settings.lease_charge_s
        rules = {change.rule for change in changes} - _CALM_RULES
        following = (
            proposal.following
            and point is not None
            and direction(point.power_kw) == direction(power.kw)
            and rules == set(point.rules) - _CALM_RULES
        )
        command = SetPower(
            evse_id=car.evse_id,
            power_kw=power.kw,
            lease_s=lease_s,
            reason=reason,
            frequency_curve=curve,
            following=following,
        )
        approved = Approved(car.charger_id, command)
        return Verdict(proposal, power.kw, lease_s, approved, changes, car.car_id, following)


def _proposed(proposal: Proposal, car: CarFacts) -> _Power:
    if proposal.power_kw is None:
        return _Power(max(car.default_kw, 0.0))
    if math.isfinite(proposal.power_kw):
        return _Power(proposal.power_kw)
    message = "no power was proposed but something that is no number: it rests"
    return _Power(0.0, [GuardChange("number", 0.0, 0.0, message)])


def _curve(proposal: Proposal, power: _Power, span: calm.Span) -> FrequencyCurve | None:
    """The proposal's frequency curve, where all that it may add stays within what the car may do."""
    curve = proposal.frequency_curve
    if curve is None or proposal.power_kw is None:
        return None
    lowest_kw, highest_kw = power.kw + min(curve.power_kw), power.kw + max(curve.power_kw)
    if highest_kw <= span.charge_kw_most and -lowest_kw <= span.discharge_kw_most:
        return curve
    message = (
        f"no response to the frequency: it would reach from {kw(lowest_kw)} to {kw(highest_kw)}"
    )
    power.changes.append(GuardChange("curve", power.kw, power.kw, message))
    return None


def _take(
    scene: _Scene, key: str, aim_kw: float, next_kw: float, curve: FrequencyCurve | None
) -> None:
    doing = scene.doing[key]
    up_kw = 0.0 if curve is None else max(curve.power_kw)
    down_kw = 0.0 if curve is None else -min(curve.power_kw)
    scene.charging.take(
        key, doing.stuck_import_kw, doing.highest_kw, aim_kw + up_kw, next_kw + up_kw
    )
    scene.discharging.take(
        key, doing.stuck_export_kw, -doing.lowest_kw, down_kw - aim_kw, down_kw - next_kw
    )


def _left_alone(proposal: Proposal, car: CarFacts, point: PointState | None) -> Verdict:
    """The car that carries the house is told nothing: its inverter follows the load, and a hold would keep it dark."""
    proposed_kw = proposal.power_kw
    from_kw = proposed_kw if proposed_kw is not None and math.isfinite(proposed_kw) else 0.0
    message = "released: the grid is gone, and its inverter follows the house by itself"
    change = GuardChange("grid", from_kw, 0.0, message)
    release = Approved(car.charger_id, ReleasePower(car.evse_id, message))
    is_known = point is not None and point.is_released and point.rules == (change.rule,)
    return Verdict(proposal, 0.0, 0, release, (change,), car.car_id, following=is_known)


def _nothing(proposal: Proposal, scene: _Scene) -> Verdict:
    """Nothing is sent: nobody is there, or nobody would hear it."""
    car = scene.cars.get(point_key(proposal.charger_id, proposal.evse_id))
    if car is None:
        message = "nothing is known of this connection point"
    elif not car.linked:
        message = "there is no link to the charger: it holds its last set-point, then its default"
    else:
        message = "no car is plugged in"
    power_kw = proposal.power_kw
    from_kw = power_kw if power_kw is not None and math.isfinite(power_kw) else 0.0
    change = GuardChange("link", from_kw, 0.0, message)
    return Verdict(proposal, None, 0, None, (change,), "" if car is None else car.car_id)
