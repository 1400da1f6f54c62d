"""From the accounts to the money that is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from parkwatt.app.site_report.view import account_view
from parkwatt.app.statement.views import (
    MoneyRowView,
    MoneyTodayView,
    MoneyView,
    PeriodName,
    SavingView,
    SealView,
)
from parkwatt.domain.calendar import day_number, local_time_unix_s
from parkwatt.site.account import Accounts
from parkwatt.site.account.amounts import AmountsRow, added, amounts_by, daily_amounts

_KWH_DIGITS = 3


def money_view(
    accounts: Accounts,
    seal: SealView,
    by: PeriodName,
    start: date,
    end: date,
    car_id: str | None = None,
) -> MoneyView:
    """Money of the local days [start, end), of one car or of all together."""
    settings, ledger = accounts.settings, accounts.ledger
    days = _within(daily_amounts(ledger), start, end, car_id)
    zone = settings.time_zone
    span = (_midnight(start, zone), _midnight(end, zone))
    grouped: dict[str, list[AmountsRow]] = {}
    for row in amounts_by(days, by):
        grouped.setdefault(row.name, []).append(row)
    return MoneyView(
        site=settings.site_name,
        currency=settings.currency,
        time_zone=zone.key,
        car_id=car_id,
        by=by,
        start=start,
        end=end,
        known_until=_at(ledger.until_unix_s),
        rows=[_row(name, rows) for name, rows in grouped.items()],
        total=_row("", days, span),
        notes=account_view(accounts, *span, by="year").notes,
        seal=seal,
    )


def money_today(accounts: Accounts, today: date) -> MoneyTodayView:
    """What was saved on a local day, so far."""
    ledger = accounts.ledger
    rows = [row for row in daily_amounts(ledger) if row.name == today.isoformat()]
    if not rows:
        return nothing_yet(today, accounts.settings.currency)
    amounts = added(row.amounts for row in rows)
    return MoneyTodayView(
        day=today,
        currency=accounts.settings.currency,
        known_until=_at(ledger.until_unix_s),
        gross=amounts.gross,
        wear=amounts.wear,
        net=amounts.net,
        smart_net=amounts.smart_net,
    )


def nothing_yet(today: date, currency: str) -> MoneyTodayView:
    """Nothing is known of today."""
    return MoneyTodayView(
        day=today,
        currency=currency,
        known_until=None,
        gross=None,
        wear=None,
        net=None,
        smart_net=None,
    )


def _within(
    rows: Iterable[AmountsRow], start: date, end: date, car_id: str | None
) -> list[AmountsRow]:
    first, after = start.isoformat(), end.isoformat()
    return [
        row
        for row in rows
        if first <= row.name < after and (car_id is None or row.car_id == car_id)
    ]


def _row(
    name: str, rows: Sequence[AmountsRow], span: tuple[int, int] | None = None
) -> MoneyRowView:
    amounts = added(row.amounts for row in rows)
    start, end = span or (rows[0].start_unix_s, max(row.end_unix_s for row in rows))
    return MoneyRowView(
        name=name,
        start=_at(start),
        end=_at(end),
        charged_kwh=round(sum(row.in_kwh for row in rows), _KWH_DIGITS),
        discharged_kwh=round(sum(row.out_kwh for row in rows), _KWH_DIGITS),
        charged=amounts.charged,
        discharged=amounts.discharged,
        cost=amounts.cost,
        at_once=SavingView(
            would_cost=amounts.at_once,
            stored=amounts.stored,
            gross=amounts.gross,
            wear=amounts.wear,
            net=amounts.net,
        ),
        smart=SavingView(
            would_cost=amounts.smart,
            stored=amounts.smart_stored,
            gross=amounts.smart_gross,
            wear=amounts.smart_wear,
            net=amounts.smart_net,
        ),
    )


def _midnight(day: date, zone: ZoneInfo) -> int:
    return local_time_unix_s(day_number(day), 0, zone)


def _at(unix_s: int) -> datetime:
    return datetime.fromtimestamp(unix_s, tz=UTC)
