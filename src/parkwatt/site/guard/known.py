"""Facts as far as they can be believed: a figure that is no number is unknown, and what is unknown counts with its
worst case.

Also what each charger may be doing now. It was told something, and may still do what it was told before; one without
a link, or one that nobody proposes for, holds its last set-point until the lease ends and then does what it does of
its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from parkwatt.site.guard.facts import CarFacts, SiteFacts
from parkwatt.site.guard.settings import GuardSettings
from parkwatt.site.guard.state import PointState

_US = 1_000_000
# A meter that shows this much more than was told contradicts it.
_OFF_KW = 0.3


def finite(value: float | None) -> float | None:
    """The value; None where it is no number."""
    return value if value is not None and math.isfinite(value) else None


def positive(value: float) -> float:
    """A magnitude; 0 where it is none. Infinite stays: no limit."""
    return value if value > 0 else 0.0


def believable_site(facts: SiteFacts) -> SiteFacts:
    """The site's facts without figures that are no numbers. A limit that is none allows nothing."""
    phases = facts.phase_base_a
    if phases is not None and not all(map(math.isfinite, phases)):
        phases = None
    base_kw, highest_kw = finite(facts.base_kw), finite(facts.base_kw_highest) or 0.0
    same = base_kw is facts.base_kw and phases is facts.phase_base_a
    if same and highest_kw == facts.base_kw_highest:
        return facts
    return replace(facts, base_kw=base_kw, phase_base_a=phases, base_kw_highest=highest_kw)


def believable_car(car: CarFacts) -> CarFacts:
    """The car's facts likewise."""
    told = (car.energy_kwh, car.measured_kw)
    if all(value is None or math.isfinite(value) for value in told) and (
        math.isfinite(
            car.charge_kw_max
            + car.discharge_kw_max
            + car.charge_kw_min
            + car.discharge_kw_min
            + car.energy_kwh_error
            + car.floor_kwh
            + car.default_kw
        )
        and 0 < car.charge_efficiency <= 1
        and 0 < car.discharge_efficiency <= 1
        and (car.ready is None or math.isfinite(car.ready.energy_kwh))
    ):
        return car
    return _repaired(car)


def _repaired(car: CarFacts) -> CarFacts:
    sound = all(
        map(math.isfinite, (car.energy_kwh_error, car.floor_kwh, car.discharge_kw_min))
    ) and all(0 < share <= 1 for share in (car.charge_efficiency, car.discharge_efficiency))
    charge_kw_max = finite(car.charge_kw_max) or 0.0
    asked = car.ready is not None and math.isfinite(car.ready.energy_kwh)
    return replace(
        car,
        energy_kwh=finite(car.energy_kwh) if sound else None,
        measured_kw=finite(car.measured_kw),
        charge_kw_max=charge_kw_max,
        discharge_kw_max=(finite(car.discharge_kw_max) or 0.0) if sound else 0.0,
        charge_kw_min=finite(car.charge_kw_min) or 0.0,
        discharge_kw_min=finite(car.discharge_kw_min) or 0.0,
        energy_kwh_error=finite(car.energy_kwh_error) or 0.0,
        floor_kwh=finite(car.floor_kwh) or 0.0,
        default_kw=car.default_kw if math.isfinite(car.default_kw) else charge_kw_max,
        charge_efficiency=car.charge_efficiency if 0 < car.charge_efficiency <= 1 else 1.0,
        discharge_efficiency=car.discharge_efficiency if 0 < car.discharge_efficiency <= 1 else 1.0,
        ready=car.ready if asked else None,
    )


@dataclass(slots=True)
class Doing:
    """What one charger may do now, in kW. ``now_kw``: what it was told, or does of its own. ``lowest_kw``,
    ``highest_kw``: what it may still do on the way there. ``stuck_import_kw``, ``stuck_export_kw`` ≥ 0: what it does
    whatever it is told.
    """

    now_kw: float
    lowest_kw: float
    highest_kw: float
    stuck_import_kw: float = 0.0
    stuck_export_kw: float = 0.0


def doing_of_driven(
    car: CarFacts, point: PointState | None, settings: GuardSettings, now_unix_us: int
) -> Doing:
    """A charger that is told a power in this step."""
    measured_kw = car.measured_kw
    if point is None or not point.lease_runs(now_unix_us):
        # It does what it does of its own. Where its meter says else, the greater counts for others, the smaller for itself.
        shown_kw = car.default_kw if measured_kw is None else measured_kw
        now_kw = max(min(shown_kw, car.default_kw), 0.0)
        return Doing(now_kw, min(shown_kw, 0.0), max(shown_kw, car.default_kw, 0.0))
    lowest_kw, highest_kw = point.range_kw(now_unix_us, settings.settle_s)
    doing = Doing(point.power_kw, min(lowest_kw, 0.0), max(highest_kw, 0.0))
    if measured_kw is not None:
        lowest_kw, highest_kw = point.range_kw(now_unix_us, settings.obeys_s)
        if measured_kw > max(highest_kw, 0.0) + _OFF_KW:
            doing.stuck_import_kw = doing.highest_kw = measured_kw
        elif measured_kw < min(lowest_kw, 0.0) - _OFF_KW:
            doing.stuck_export_kw, doing.lowest_kw = -measured_kw, measured_kw
    return doing


def doing_of_other(
    car: CarFacts, point: PointState | None, settings: GuardSettings, now_unix_us: int
) -> Doing:
    """A charger that nobody can tell anything, or does: its worst case counts."""
    if car.linked and not car.plugged_in:
        measured_kw = car.measured_kw or 0.0
        lowest_kw, highest_kw = min(measured_kw, 0.0), max(measured_kw, 0.0)
        return Doing(measured_kw, lowest_kw, highest_kw, highest_kw, -lowest_kw)
    measured = () if car.measured_kw is None else (car.measured_kw,)
    powers_kw = [0.0, *measured]
    ends_soon = True
    if point is not None and point.lease_runs(now_unix_us):
        powers_kw += point.range_kw(now_unix_us, settings.settle_s)
        # The others have to be down when the lease ends. By a clock that was put back nobody can tell when that is.
        ahead_s = settings.step_s_max + settings.settle_s
        ends_soon = (
            point.lease_end_unix_us - now_unix_us <= ahead_s * _US
            or now_unix_us < point.decided_unix_us
        )
    if ends_soon:
        powers_kw.append(car.default_kw)
    lowest_kw, highest_kw = min(powers_kw), max(powers_kw)
    return Doing(highest_kw, lowest_kw, highest_kw, highest_kw, -lowest_kw)
