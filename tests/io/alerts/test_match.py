"""An alert counts by its event, severity, certainty and place."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.alerts.cap import CapAlert, CapArea
from parkwatt.io.alerts.match import announcements, kind_of
from tests.io.alerts.cap_text import NOON, H, settings

SQUARE = ((38.0, -123.0), (39.0, -123.0), (39.0, -122.0), (38.0, -122.0))


def cap_alert(**changes: object) -> CapAlert:
    fields: dict[str, object] = {
        "identifier": "a1",
        "event": "High Wind Warning",
        "headline": "It will blow",
        "severity": "Severe",
        "certainty": "Likely",
        "onset_unix_s": NOON + 6 * H,
        "expires_unix_s": NOON + 18 * H,
        "areas": (CapArea("Sonoma Coast", frozenset({"CAZ506"}), (SQUARE,)),),
    }
    return CapAlert(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "outage"),
    [
        ({}, "storm"),
        ({"event": "WINDSTORM"}, "storm"),
        ({"event": "Heat Advisory"}, None),
        ({"severity": "Moderate"}, None),
        ({"severity": "Extreme"}, "storm"),
        ({"certainty": "Unlikely"}, None),
        ({"certainty": "Unknown"}, "storm"),
        ({"severity": "Unknown"}, None),
        ({"event": "Public Safety Power Shutoff", "severity": "Unknown"}, "planned"),
    ],
)
def test_by_event_severity_and_certainty(changes: dict[str, object], outage: str | None) -> None:
    assert kind_of(cap_alert(**changes), settings()) == outage


@pytest.mark.parametrize(
    ("areas", "point_deg", "concerns"),
    [
        ((), None, True),
        (("caz506",), None, True),
        (("caz50",), None, False),
        (("sonoma",), None, True),
        (("napa",), None, False),
        ((), (38.5, -122.5), True),
        ((), (37.5, -122.5), False),
        (("napa",), (38.5, -122.5), True),
    ],
)
def test_by_area(
    areas: tuple[str, ...], point_deg: tuple[float, float] | None, concerns: bool
) -> None:
    found = kind_of(cap_alert(), settings(areas=areas, point_deg=point_deg))
    assert (found is not None) == concerns


@given(
    st.floats(-60.0, 60.0), st.floats(-170.0, 170.0), st.floats(1.0, 300.0), st.floats(0.0, 6.28)
)
def test_circles_reach_as_far_as_their_radius(
    latitude_deg: float, longitude_deg: float, radius_km: float, bearing: float
) -> None:
    """A point at some way into a direction, by the formula for a destination on a sphere."""

    def away(distance_km: float) -> tuple[float, float]:
        angle, lat = distance_km / 6371.0, math.radians(latitude_deg)
        lat_to = math.asin(
            math.sin(lat) * math.cos(angle) + math.cos(lat) * math.sin(angle) * math.cos(bearing)
        )
        across = math.sin(bearing) * math.sin(angle) * math.cos(lat)
        lon_to = math.radians(longitude_deg) + math.atan2(
            across, math.cos(angle) - math.sin(lat) * math.sin(lat_to)
        )
        return math.degrees(lat_to), math.degrees(lon_to)

    circle = ((latitude_deg, longitude_deg), radius_km)
    area = CapArea("", frozenset(), circles=(circle,))
    for share, outage in ((0.99, "storm"), (1.01, None)):
        at_home = settings(point_deg=away(radius_km * share))
        assert kind_of(cap_alert(areas=(area,)), at_home) == outage


@given(st.floats(37.0, 40.0), st.floats(-124.0, -121.0))
def test_a_square_is_what_lies_between_its_sides(latitude_deg: float, longitude_deg: float) -> None:
    is_within = 38.0 < latitude_deg < 39.0 and -123.0 < longitude_deg < -122.0
    is_beside = not (38.0 <= latitude_deg <= 39.0 and -123.0 <= longitude_deg <= -122.0)
    found = kind_of(cap_alert(), settings(point_deg=(latitude_deg, longitude_deg)))
    assert not (is_within and found is None)
    assert not (is_beside and found is not None)


def test_infos_of_one_alert_are_joined() -> None:
    found = announcements(
        [cap_alert(), cap_alert(onset_unix_s=NOON, expires_unix_s=NOON + 7 * H)],
        settings(),
        "alerts test",
        NOON,
    )
    one = found["alerts test a1"]
    assert (one.start_unix_s, one.end_unix_s) == (NOON, NOON + 18 * H)
    assert (one.outage, one.origin, one.text) == ("storm", "alerts test", "It will blow")
    assert one.probability is None


def test_a_planned_outage_within_a_storm_alert_counts_alone() -> None:
    shutoff = cap_alert(
        event="Power shutoff", onset_unix_s=NOON + 8 * H, expires_unix_s=NOON + 9 * H
    )
    one = announcements([cap_alert(), shutoff], settings(), "t", NOON)["t a1"]
    assert (one.outage, one.start_unix_s) == ("planned", NOON + 8 * H)


def test_what_is_over_is_not_announced() -> None:
    assert announcements([cap_alert()], settings(), "t", NOON + 18 * H) == {}
    upside_down = cap_alert(expires_unix_s=NOON + 6 * H)
    assert announcements([upside_down], settings(), "t", NOON) == {}
