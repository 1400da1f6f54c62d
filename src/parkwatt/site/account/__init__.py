"""A site's accounts: energy, money and wear by car, from the journal alone (docs/concepts/accounts.md).

`Accounts` folds the journal's entries to facts; `Accounts.ledger` values them; `sums` adds them up by stay, day, month or year.
"""

from parkwatt.site.account.accounts import KINDS, Accounts
from parkwatt.site.account.ledger import Ledger
from parkwatt.site.account.operation import Operation, operation
from parkwatt.site.account.settings import AccountSettings, CarAccountSettings
from parkwatt.site.account.stays import Promise, StayAccount
from parkwatt.site.account.sums import By, Sums, SumsRow, period_name, sums_by

__all__ = [
    "KINDS",
    "AccountSettings",
    "Accounts",
    "By",
    "CarAccountSettings",
    "Ledger",
    "Operation",
    "Promise",
    "StayAccount",
    "Sums",
    "SumsRow",
    "operation",
    "period_name",
    "sums_by",
]
