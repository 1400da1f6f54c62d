"""Money that adds up to the cent: the ledger's money as decimals, by local day, month or year.

The ledger computes in floats. What is told of a day is rounded as running totals are: the total up to the day's end, rounded,
less that up to its beginning, rounded. So the days of a month add up to the month and months to the year, to the cent, and no
sum is ever off by more than a cent from what was computed, however long the span.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, Literal

from parkwatt.site.account.ledger import Ledger
from parkwatt.site.account.sums import SumsRow, sums_by

Period = Literal["day", "month", "year"]
_CENT: Final = Decimal("0.01")
_NAME_LENGTH: Final = {"day": 10, "month": 7, "year": 4}
_FOREVER_UNIX_S: Final = 1 << 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """Money in whole hundredths; docs/concepts/accounts.md defines each. Cost is positive.

    ``charged``: what was paid for what was charged; ``discharged``: what was earned by what was given. ``at_once``,
    ``smart``: what charging at once, and smart charging with hindsight, would have cost. ``*stored``: what the battery
    holds more than if it were charged so, ``*wear``: of the battery, beyond that of charging so.
    """

    charged: Decimal = Decimal("0.00")
    discharged: Decimal = Decimal("0.00")
    at_once: Decimal = Decimal("0.00")
    stored: Decimal = Decimal("0.00")
    wear: Decimal = Decimal("0.00")
    smart: Decimal = Decimal("0.00")
    smart_stored: Decimal = Decimal("0.00")
    smart_wear: Decimal = Decimal("0.00")

    @property
    def cost(self) -> Decimal:
        """What the car's energy cost: charged less discharged."""
        return self.charged - self.discharged

    @property
    def gross(self) -> Decimal:
        """Saved against charging at once, before wear."""
        return self.at_once - self.cost + self.stored

    @property
    def net(self) -> Decimal:
        """Saved against charging at once, after wear."""
        return self.gross - self.wear

    @property
    def smart_gross(self) -> Decimal:
        """Saved against smart charging with hindsight, before wear."""
        return self.smart - self.cost + self.smart_stored

    @property
    def smart_net(self) -> Decimal:
        """Saved against smart charging with hindsight, after wear."""
        return self.smart_gross - self.smart_wear


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountsRow:
    """One car's money and energy of a period. ``name``: such as 2026-11-22, 2026-11 or 2026."""

    name: str
    car_id: str
    start_unix_s: int
    end_unix_s: int
    amounts: Amounts
    in_kwh: float = 0.0
    out_kwh: float = 0.0


# By amount, the column of the sums that it rounds.
_COLUMNS: Final = {
    "charged": "cost_charged",
    "discharged": "worth_discharged",
    "at_once": "at_once_cost",
    "stored": "stored_worth",
    "wear": "wear_cost",
    "smart": "smart_cost",
    "smart_stored": "smart_stored_worth",
    "smart_wear": "smart_wear_cost",
}


def added(amounts: Iterable[Amounts]) -> Amounts:
    """All of them together."""
    listed = list(amounts)
    zero = Decimal("0.00")
    return Amounts(
        **{f.name: sum((getattr(one, f.name) for one in listed), zero) for f in fields(Amounts)}
    )


def daily_amounts(ledger: Ledger) -> list[AmountsRow]:
    """Every local day of the ledger with each car, in order of time, then car."""
    return _rounded(sums_by(ledger, "day", 0, _FOREVER_UNIX_S))


def amounts_by(days: Iterable[AmountsRow], by: Period) -> list[AmountsRow]:
    """Days added up to months or years."""
    grouped: dict[tuple[str, str], list[AmountsRow]] = {}
    for day in days:
        grouped.setdefault((day.name[: _NAME_LENGTH[by]], day.car_id), []).append(day)
    return [
        AmountsRow(
            name=name,
            car_id=car_id,
            start_unix_s=rows[0].start_unix_s,
            end_unix_s=rows[-1].end_unix_s,
            amounts=added(row.amounts for row in rows),
            in_kwh=sum(row.in_kwh for row in rows),
            out_kwh=sum(row.out_kwh for row in rows),
        )
        for (name, car_id), rows in sorted(grouped.items(), key=lambda item: item[0])
    ]


def _rounded(rows: list[SumsRow]) -> list[AmountsRow]:
    computed: dict[tuple[str, str], float] = {}
    told: dict[tuple[str, str], Decimal] = {}
    found = []
    for row in rows:
        amounts = {}
        for name, column in _COLUMNS.items():
            key = (row.car_id, name)
            computed[key] = computed.get(key, 0.0) + getattr(row.sums, column)
            until = Decimal(computed[key]).quantize(_CENT, ROUND_HALF_EVEN)
            # Adding 0 takes the sign from a zero.
            amounts[name] = until - told.get(key, Decimal("0.00")) + 0
            told[key] = until
        found.append(
            AmountsRow(
                name=row.name,
                car_id=row.car_id,
                start_unix_s=row.start_unix_s,
                end_unix_s=row.end_unix_s,
                amounts=Amounts(**amounts),
                in_kwh=row.sums.in_kwh,
                out_kwh=row.sums.out_kwh,
            )
        )
    return found
