"""From the accounts to what a report shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from parkwatt.app.site_report import words
from parkwatt.app.site_report.views import (
    AccountView,
    ByName,
    EnergyView,
    LimitView,
    MoneyView,
    OperationView,
    PromisesView,
    QualityView,
    RowView,
    StayView,
    TotalView,
)
from parkwatt.site.account import (
    Accounts,
    AccountSettings,
    Operation,
    StayAccount,
    Sums,
    SumsRow,
    operation,
    sums_by,
)
from parkwatt.site.account.operation import LimitKept
from parkwatt.site.account.quarters import QUARTER_S
from parkwatt.site.account.sums import local_day, total

_US: Final = 1_000_000
_DAY_S: Final = 86_400
# A milliwatt-hour, a thousandth of a cent: beyond that, digits are the arithmetic's.
_DIGITS: Final = 6


def account_view(
    accounts: Accounts,
    from_unix_s: int | None = None,
    until_unix_s: int | None = None,
    by: ByName = "day",
) -> AccountView:
    """What a report shows of [from, until); None: from the first entry on, up to all that is known."""
    ledger, settings = accounts.ledger, accounts.settings
    first = ledger.from_unix_s if from_unix_s is None else from_unix_s
    last = max(_known_until(accounts), first) if until_unix_s is None else until_unix_s
    rows = sums_by(ledger, by, first, last)
    last_day = local_day(max(last - 1, first), settings.time_zone)
    run = operation(
        accounts.days,
        range(local_day(first, settings.time_zone), last_day + 1),
        settings.import_limit_kw,
        settings.export_limit_kw,
    )
    cars = [
        _total(car_id, [row for row in rows if row.car_id == car_id], settings)
        for car_id in dict.fromkeys(row.car_id for row in rows)
    ]
    whole = _total(None, rows, settings)
    # What is accounted ends before the span does, where the span reaches beyond the journal.
    known_from, known_until = max(first, ledger.from_unix_s), min(last, ledger.until_unix_s)
    days = max(known_until - known_from, 0) / _DAY_S
    restarts = {car_id: ledger.restart_counts.get(car_id, 0) for car_id in ledger.car_ids}
    return AccountView(
        site=settings.site_name,
        currency=settings.currency,
        time_zone=settings.time_zone.key,
        start=_at(first),
        end=_at(last),
        days=round(days, 4),
        by=by,
        headline=words.headline(whole, days, settings.currency, len(cars)),
        rows=[_row(row, settings) for row in rows],
        cars=cars,
        total=whole,
        operation=_operation(run),
        notes=words.notes(whole, restarts, accounts.unreadable_count),
    )


def _known_until(accounts: Accounts) -> int:
    """The end of the quarter of an hour in which the last entry was recorded: a car may have left since the last closed one."""
    recorded = (accounts.recorded_unix_us // _US // QUARTER_S + 1) * QUARTER_S
    return max(accounts.ledger.until_unix_s, recorded)


def _at(unix_s: int) -> datetime:
    return datetime.fromtimestamp(unix_s, tz=UTC)


def _row(row: SumsRow, settings: AccountSettings) -> RowView:
    return RowView(
        name=row.name,
        car_id=row.car_id,
        start=_at(row.start_unix_s),
        end=_at(row.end_unix_s),
        stays=row.stay_count if row.stay is None else int(row.stay.ended),
        energy=_energy(row.sums, _capacity_kwh(settings, [row.car_id])),
        money=_money(row.sums),
        promises=_promises([row]),
        quality=_quality(row.sums),
        stay=None if row.stay is None else _stay(row.stay),
    )


def _total(car_id: str | None, rows: Sequence[SumsRow], settings: AccountSettings) -> TotalView:
    sums = total(row.sums for row in rows)
    return TotalView(
        car_id=car_id,
        stays=sum(r.stay_count if r.stay is None else int(r.stay.ended) for r in rows),
        energy=_energy(sums, _capacity_kwh(settings, {row.car_id for row in rows})),
        money=_money(sums),
        promises=_promises(rows),
        quality=_quality(sums),
    )


def _capacity_kwh(settings: AccountSettings, car_ids: Iterable[str]) -> float | None:
    """The battery's capacity, where there is one car and it is known."""
    cars = [settings.car(car_id) for car_id in car_ids]
    return cars[0].capacity_kwh if len(cars) == 1 and cars[0] is not None else None


def _energy(sums: Sums, capacity_kwh: float | None) -> EnergyView:
    return EnergyView(
        charged_kwh=_rounded(sums.in_kwh),
        discharged_kwh=_rounded(sums.out_kwh),
        from_sun_kwh=_rounded(sums.from_sun_kwh),
        to_home_kwh=_rounded(sums.to_home_kwh),
        to_grid_kwh=_rounded(sums.to_grid_kwh),
        battery_in_kwh=_rounded(sums.battery_in_kwh),
        battery_out_kwh=_rounded(sums.battery_out_kwh),
        driven_kwh=_rounded(sums.driven_kwh),
        full_cycles=None if not capacity_kwh else _rounded(sums.used_kwh / capacity_kwh),
    )


def _money(sums: Sums) -> MoneyView:
    return MoneyView(
        charged=_rounded(sums.cost_charged),
        discharged=_rounded(sums.worth_discharged),
        cost=_rounded(sums.cost),
        at_once=_rounded(sums.at_once_cost),
        stored=_rounded(sums.stored_worth),
        saving_gross=_rounded(sums.gross_saving),
        wear=_rounded(sums.wear_cost),
        saving_net=_rounded(sums.net_saving),
        smart=_rounded(sums.smart_cost),
        smart_stored=_rounded(sums.smart_stored_worth),
        smart_saving_gross=_rounded(sums.smart_gross_saving),
        smart_wear=_rounded(sums.smart_wear_cost),
        smart_saving_net=_rounded(sums.smart_net_saving),
    )


def _quality(sums: Sums) -> QualityView:
    return QualityView(
        estimated_kwh=_rounded(sums.guessed_kwh),
        unmetered_kwh=_rounded(sums.unmetered_kwh),
        unpriced_kwh=_rounded(sums.unpriced_kwh),
        difference_kwh=_rounded(sums.difference_kwh),
    )


def _promises(rows: Sequence[SumsRow]) -> PromisesView:
    counts = {
        "kept": 0,
        "broken": 0,
        "not_possible": 0,
        "left_early": 0,
        "not_known": 0,
        "nothing_asked": 0,
    }
    for row in rows:
        for name, count in row.promises.items():
            counts[name] += count
    return PromisesView(
        asked=sum(counts.values()) - counts["nothing_asked"],
        floors_broken=sum(row.floors_broken for row in rows),
        **counts,
    )


def _stay(stay: StayAccount) -> StayView:
    promise = stay.promise
    departure = None if promise is None else promise.departure
    return StayView(
        stay_id=stay.stay_id,
        ended=stay.ended,
        energy_kwh_begin=_shown(stay.energy_kwh_begin),
        energy_kwh_end=_shown(stay.energy_kwh_end),
        energy_kwh_lowest=_shown(stay.energy_kwh_lowest),
        floor_kwh=_shown(stay.floor_kwh),
        floor_broken=stay.floor_broken,
        promise=None if promise is None else promise.name,
        reason="" if promise is None else promise.reason,
        departs_at=None if departure is None else _at(departure.departs_unix_s),
        energy_kwh_asked=None if promise is None else _shown(promise.energy_kwh_asked),
        energy_kwh_possible=None if promise is None else _shown(promise.energy_kwh_possible),
        risks=list(stay.risks),
    )


def _operation(run: Operation) -> OperationView:
    return OperationView(
        metered_h=round(run.metered_s / 3600.0, 2),
        import_limit=_limit(run.limit_import),
        export_limit=_limit(run.limit_export),
        setpoints=run.setpoints,
        setpoints_following=run.followed,
        setpoints_changed=run.changed,
        switchings=run.switchings,
        switchings_a_day_max=run.switchings_a_day_max,
        leases_lapsed=run.leases_lapsed,
        plans=run.plans,
        program_starts=run.starts,
    )


def _limit(kept: LimitKept) -> LimitView:
    return LimitView(
        limit_kw=kept.limit_kw,
        over_s=kept.over_s,
        over_s_longest=kept.over_s_longest,
        excess_kw=round(kept.excess_kw, 3),
        excess_kw_single=round(kept.excess_kw_single, 3),
    )


def _rounded(value: float) -> float:
    return round(value, _DIGITS) + 0.0


def _shown(energy_kwh: float | None) -> float | None:
    """To a watt-hour: what a car tells of its battery is no finer."""
    return None if energy_kwh is None else round(energy_kwh, 3) + 0.0
