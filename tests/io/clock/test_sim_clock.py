"""A clock of a simulated world, right and wrong."""

from __future__ import annotations

from parkwatt.io.clock.sim_clock import SimClock


def test_it_shows_the_loop_s_time_and_what_it_is_set_to() -> None:
    now_s = [100.0]
    clock = SimClock(lambda: now_s[0], 1_700_000_000_000_000, start_s=100.0)
    assert clock() == 1_700_000_000_000_000
    now_s[0] = 101.25
    assert clock() == 1_700_000_001_250_000
    clock.step(-3600.0)
    assert clock() == 1_700_000_001_250_000 - 3_600_000_000
    assert clock.true_unix_us() == 1_700_000_001_250_000
    assert clock.loop_s(1_700_000_002_000_000) == 102.0
    clock.correct()
    assert clock() == clock.true_unix_us()
