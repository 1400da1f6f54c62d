"""States of charge as they are kept: in order, few, and with the ends of every rise and fall."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.site.account.readings import QUARTER_US
from parkwatt.site.account.soc import SocReadings

MINUTE_US = 60_000_000


@given(st.lists(st.integers(0, 100), min_size=1, max_size=200), st.integers(0, 1000))
def test_ends_of_quarters_and_turns_are_kept(per_cents: list[int], seed: int) -> None:
    told = {index * MINUTE_US: soc / 100 for index, soc in enumerate(per_cents)}
    kept = SocReadings()
    for at, soc in told.items():
        kept.add(at, soc)
    assert kept.at_unix_us == sorted(set(kept.at_unix_us))
    assert all(told[at] == soc for at, soc in zip(kept.at_unix_us, kept.soc, strict=True))
    assert (kept.at_unix_us[0], kept.at_unix_us[-1]) == (0, (len(told) - 1) * MINUTE_US)
    assert (min(kept.soc), max(kept.soc)) == (min(told.values()), max(told.values()))
    shuffled, again = list(told.items()), SocReadings()
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - an order, no secret
    for at, soc in [*shuffled, *shuffled]:
        again.add(at, soc)
    assert again.at_unix_us == sorted(set(again.at_unix_us))
    assert (min(again.soc), max(again.soc)) == (min(told.values()), max(told.values()))


def test_a_steady_rise_keeps_two_a_quarter() -> None:
    kept = SocReadings()
    for minute in range(240):
        kept.add(minute * MINUTE_US, round(0.2 + minute * 0.002, 2))
    assert len(kept.soc) <= 2 * (240 * MINUTE_US // QUARTER_US) + 1


def test_a_fall_is_thinned_as_a_rise_is() -> None:
    kept = SocReadings()
    for minute in range(240):
        kept.add(minute * MINUTE_US, round(0.9 - minute * 0.002, 2))
    assert len(kept.soc) <= 2 * (240 * MINUTE_US // QUARTER_US) + 1
