"""From the accounts to the battery's ledger that is shown."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from parkwatt.app.statement.views import (
    AgeingView,
    BatteryUseView,
    BatteryView,
    CapacityView,
    CyclesView,
    SealView,
)
from parkwatt.plan.wear import CELLS
from parkwatt.site.account import Accounts, CarAccountSettings
from parkwatt.site.account.amounts import amounts_by, daily_amounts
from parkwatt.site.account.battery import Ageing, BatteryUse, battery_account
from parkwatt.site.account.capacity import CHARGES_LEAST, RISES_LEAST, Capacity

_DIGITS = 3


def battery_view(accounts: Accounts, seal: SealView, car: CarAccountSettings) -> BatteryView:
    """The ledger of a car's battery."""
    settings, account = accounts.settings, battery_account(accounts, car)
    wear = {
        row.name: row.amounts.wear
        for row in amounts_by(daily_amounts(accounts.ledger), "month")
        if row.car_id == car.car_id
    }
    known = account.until_unix_s > account.from_unix_s
    months = [
        _use(name, use, account.capacity_kwh, wear.get(name, Decimal("0.00")))
        for name, use in account.months.items()
    ]
    all_wear = sum(wear.values(), Decimal("0.00"))
    return BatteryView(
        site=settings.site_name,
        currency=settings.currency,
        time_zone=settings.time_zone.key,
        car_id=account.car_id,
        capacity_kwh=account.capacity_kwh,
        start=_at(account.from_unix_s) if known else None,
        known_until=_at(account.until_unix_s) if known else None,
        months=months,
        total=_use("", account.total, account.capacity_kwh, all_wear),
        capacity=_capacity(account.capacity),
        ageing=None if account.ageing is None else _ageing(account.ageing),
        seal=seal,
    )


def _use(name: str, use: BatteryUse, capacity_kwh: float, wear: Decimal) -> BatteryUseView:
    driving, home, grid = (
        energy_kwh / capacity_kwh for energy_kwh in (use.driving_kwh, use.home_kwh, use.grid_kwh)
    )
    return BatteryUseView(
        name=name,
        charged_kwh=_shown(use.in_kwh),
        discharged_kwh=_shown(use.out_kwh),
        battery_in_kwh=_shown(use.battery_in_kwh),
        driving_kwh=_shown(use.driving_kwh),
        home_kwh=_shown(use.home_kwh),
        grid_kwh=_shown(use.grid_kwh),
        cycles=CyclesView(
            driving=_shown(driving),
            home=_shown(home),
            grid=_shown(grid),
            total=_shown(driving + home + grid),
        ),
        known_h=_shown(use.known_h),
        high_h=_shown(use.high_h),
        highest_h=_shown(use.highest_h),
        wear=wear,
    )


def _capacity(capacity: Capacity) -> CapacityView:
    told, error = capacity.capacity_kwh, capacity.error_kwh
    return CapacityView(
        capacity_kwh=None if told is None else round(told, 1),
        error_kwh=None if error is None else round(error, 1),
        sessions=capacity.rise_count,
        sessions_needed=RISES_LEAST,
        full_charges=round(capacity.charges, 2),
        full_charges_needed=CHARGES_LEAST,
    )


def _ageing(ageing: Ageing) -> AgeingView:
    split = ageing.split
    return AgeingView(
        cell=ageing.cell_id,
        cell_name=CELLS[ageing.cell_id].name,
        temperature_c=ageing.temperature_c,
        history_days=round(ageing.days, 1),
        loss_percent_per_year=_shown(split.total_percent_per_year),
        time_percent_per_year=_shown(split.calendar_percent_per_year),
        driving_percent_per_year=_shown(split.driving_percent_per_year),
        grid_use_percent_per_year=_shown(split.grid_use_percent_per_year),
        lowest_percent_per_year=_shown(ageing.lowest_percent_per_year),
        highest_percent_per_year=_shown(ageing.highest_percent_per_year),
    )


def _shown(value: float) -> float:
    return round(value, _DIGITS) + 0.0


def _at(unix_s: int) -> datetime:
    return datetime.fromtimestamp(unix_s, tz=UTC)
