"""The plan that a running site follows, as it stands in the journal."""

from __future__ import annotations

import msgspec


class CarPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """One car's part. ``power_kw``: [T]; ``energy_kwh``: [T+1]; ``stored_value_per_kwh``: [T] what one kWh more in the
    battery is worth at each step's end, None where unknown. ``shortfall_kwh``: missing at the departure.
    """

    car_id: str
    power_kw: tuple[float, ...]
    energy_kwh: tuple[float, ...]
    stored_value_per_kwh: tuple[float, ...] | None = None
    departs_unix_s: int | None = None
    energy_kwh_asked: float | None = None
    shortfall_kwh: float = 0.0


class PlanReason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a car does what it does between two times, in a driver's words with numbers."""

    car_id: str
    from_unix_s: int
    until_unix_s: int
    power_kw: float
    message: str


class LivePlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """A plan over T steps. ``edges_unix_s``: [T+1]; the first is when it was made. Series are [T].

    ``grid_kw``: import positive. ``price_known_until_unix_s``: beyond it prices are a guess. ``cost``: what was
    minimised, in
    ``currency``. ``risks``: what cannot be met, in words.
    """

    made_unix_s: int
    edges_unix_s: tuple[int, ...]
    currency: str
    grid_kw: tuple[float, ...]
    load_kw: tuple[float, ...]
    solar_kw: tuple[float, ...]
    import_price_per_kwh: tuple[float, ...]
    export_price_per_kwh: tuple[float, ...]
    price_known_until_unix_s: int
    cost: float
    cars: tuple[CarPlan, ...] = ()
    reasons: tuple[PlanReason, ...] = ()
    risks: tuple[str, ...] = ()

    def step_at(self, now_unix_s: int) -> int | None:
        """The step that holds the time; None outside of the plan."""
        if not self.edges_unix_s[0] <= now_unix_s < self.edges_unix_s[-1]:
            return None
        low, high = 0, len(self.edges_unix_s) - 1
        while high - low > 1:
            middle = (low + high) // 2
            if self.edges_unix_s[middle] <= now_unix_s:
                low = middle
            else:
                high = middle
        return low

    def car(self, car_id: str) -> CarPlan | None:
        """A car's part; None where the plan has none."""
        return next((car for car in self.cars if car.car_id == car_id), None)
