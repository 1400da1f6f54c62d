"""How the guard judges: leases, calm, margins. Facts of the site are told to it in each step."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings:
    """All have a default that fits a home.

    ``lease_charge_s``, ``lease_discharge_s``: how long a set-point holds without a new one. ``ramp_kw_per_s``: how
    fast a power's magnitude may rise, over at most ``step_s_max`` at once. ``switchings_per_day_max``: changes
    between charging, resting and discharging in any 24 hours that only save money. ``on_s_min``, ``off_s_min``: how
    long a charger runs or rests before that. ``settle_s``: a charger may do what it was told before for so long after
    a new set-point. ``obeys_s``: after that long a charger that still shows more than it was told counts with what it
    shows. ``ready_margin_share``, ``ready_margin_s``: what is needed for a departure begins earlier by this share of
    its duration and by this time; it ends before its energy is reached only with slack beyond ``ready_end_share`` and
    ``ready_end_s``. ``ready_room_share``: of a limit that several share at least this part is taken to be free over
    the time to come. ``stays_first_s``: a car that charges goes before one that waits until the other's slack is
    smaller by this.
    """

    lease_charge_s: int = 120
    lease_discharge_s: int = 30
    ramp_kw_per_s: float = 2.0
    step_s_max: float = 5.0
    switchings_per_day_max: int = 24
    on_s_min: float = 60.0
    off_s_min: float = 60.0
    settle_s: float = 5.0
    obeys_s: float = 20.0
    ready_margin_share: float = 0.05
    ready_margin_s: float = 120.0
    ready_end_share: float = 0.15
    ready_end_s: float = 900.0
    ready_room_share: float = 0.25
    stays_first_s: float = 1800.0

    @property
    def switchings_lately_max(self) -> float:
        """The most that `PointState.switchings_lately` may come to: half a day's budget, and 3 so that there can be any."""
        return max(self.switchings_per_day_max / 2, 3.0)
