"""Times in files: local clocks that are put forward and back, offsets, other ways to write them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parkwatt.domain.series import unix_s
from tests.io.load_files import attempt, read, utc_s, write

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def quarter_hours(start: datetime, count: int) -> list[datetime]:
    """Aware local times that follow each other in real time."""
    first = start.astimezone(UTC)
    return [(first + k * timedelta(minutes=15)).astimezone(start.tzinfo) for k in range(count)]


@pytest.mark.parametrize(
    ("day", "count"), [((2024, 3, 30), 92), ((2024, 10, 26), 100), ((2024, 6, 1), 96)]
)
@pytest.mark.parametrize("stamps", ["start", "end", "end before the change"])
def test_local_stamps_of_a_day_with_23_or_25_hours(
    tmp_path: Path, day: tuple[int, int, int], count: int, stamps: str
) -> None:
    start = datetime(*day, tzinfo=AMSTERDAM) + timedelta(days=1)
    starts = quarter_hours(start, count)
    if stamps == "start":
        shown = starts
    elif stamps == "end":
        shown = quarter_hours(start, count + 1)[1:]
    else:  # as if the clock were changed one moment later
        shown = [time + timedelta(minutes=15) for time in starts]
    write(tmp_path, *(f"{time:%Y-%m-%d %H:%M},{k}" for k, time in enumerate(shown)))
    found = read(tmp_path, time_zone="Europe/Amsterdam", stamps=stamps.split()[0])
    assert found.start_unix_s.tolist() == [unix_s(time) for time in starts]
    assert (found.end_unix_s - found.start_unix_s == 900).all()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    st.integers(0, 3 * 365 * 24),
    st.sampled_from([15, 30, 60]),
    st.sampled_from(["Europe/Amsterdam", "America/Los_Angeles", "Australia/Lord_Howe", "UTC"]),
)
def test_local_stamps_lead_back_to_their_times(
    tmp_path: Path, hours: int, minutes: int, zone: str
) -> None:
    if zone == "Australia/Lord_Howe":
        minutes = min(minutes, 30)  # the clock is put back by half an hour only
    start = utc_s(2023, 1, 1) + hours * 3600
    # A span of six days; it begins in no repeated hour, of which the second pass could not be told.
    times = start + minutes * 60 * np.arange(6 * 24 * 60 // minutes)
    local = [datetime.fromtimestamp(int(time), tz=ZoneInfo(zone)) for time in times]
    if local[0].fold:
        return
    write(tmp_path, *(f"{time:%Y-%m-%dT%H:%M},1" for time in local))
    assert read(tmp_path, time_zone=zone).start_unix_s.tolist() == times.tolist()


def test_a_reading_that_the_clock_skips_is_a_fault(tmp_path: Path) -> None:
    write(tmp_path, *(f"2024-03-31 {hour:02d}:00,1" for hour in range(5)))
    _, faults = attempt(tmp_path, time_zone="Europe/Amsterdam")
    assert faults == [
        (
            "load (load.csv, line 4, column time): does not exist in Europe/Amsterdam, "
            "where the clock skips it, got '2024-03-31 02:00:00'"
        )
    ]


def test_a_stamp_with_an_offset_needs_no_zone(tmp_path: Path) -> None:
    write(
        tmp_path, "2024-06-01T00:00:00+02:00,1", "2024-05-31T23:00:00Z,2", "2024-06-01T01:00+02,3"
    )
    found, faults = attempt(tmp_path, time_zone=None)
    assert found is None
    assert "line 4" in faults[0]
    write(tmp_path, "2024-06-01T00:00:00+02:00,1", "2024-05-31T23:00:00Z,2")
    assert read(tmp_path, time_zone=None).start_unix_s[0] == utc_s(2024, 5, 31, 22)


def test_other_ways_to_write_a_time(tmp_path: Path) -> None:
    write(tmp_path, "01.06.2024 13:00,1", "01.06.2024 14:00,2")
    found = read(tmp_path, time_format="%d.%m.%Y %H:%M")
    assert found.start_unix_s[0] == utc_s(2024, 6, 1, 13)
