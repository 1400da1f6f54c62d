"""What keeps a guesser from trying passwords: a wait that doubles for each account, and a bucket of tries for all together.

An attempt is counted before it is checked, so that a hundred at once are a hundred. Accounts that do not exist are counted
alike. Counts are kept in memory: a restart forgives them, and nobody but the machine's owner restarts it. A session that is
signed in, and a sign-in link, are never held up by what others try.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Final

_FREE: Final = 5
_WAIT_S_MAX: Final = 900.0
_FORGOTTEN_S: Final = 86_400.0
_ACCOUNTS_MAX: Final = 4096
_BUCKET: Final = 40.0
_REFILL_PER_S: Final = 0.1


class Throttle:
    """Of one kind of sign-in. Times are seconds of one clock that does not go back."""

    def __init__(self) -> None:
        self._accounts: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._tries = _BUCKET
        self._filled_s: float | None = None

    def attempt(self, account: str, now_s: float) -> int:
        """Count an attempt and return 0; or the seconds to wait, and nothing is counted."""
        before_s = now_s if self._filled_s is None else self._filled_s
        self._tries = min(_BUCKET, self._tries + max(0.0, now_s - before_s) * _REFILL_PER_S)
        self._filled_s = now_s
        count, last_s = self._accounts.get(account, (0, now_s))
        last_s = min(last_s, now_s)  # a clock that was set back locks nobody out
        if now_s - last_s > _FORGOTTEN_S:
            count = 0
        wait_s = 0.0
        if count >= _FREE:
            wait_s = last_s + min(_WAIT_S_MAX, 2.0 ** (count - _FREE + 1)) - now_s
        if self._tries < 1.0:
            wait_s = max(wait_s, (1.0 - self._tries) / _REFILL_PER_S)
        if wait_s > 0.0:
            return math.ceil(wait_s)
        self._tries -= 1.0
        self._accounts[account] = (min(count + 1, 64), now_s)
        self._accounts.move_to_end(account)
        if len(self._accounts) > _ACCOUNTS_MAX:
            self._accounts.popitem(last=False)
        return 0

    def succeeded(self, account: str) -> None:
        """The attempt was right: nothing is held against the account any more."""
        self._accounts.pop(account, None)
        self._tries = min(_BUCKET, self._tries + 1.0)
