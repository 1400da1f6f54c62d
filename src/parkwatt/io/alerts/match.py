"""Which alerts concern a home, and the announcements that they are."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from parkwatt.domain.home.event import OutageAnnounced, OutageKind
from parkwatt.io.alerts.cap import CERTAINTIES, SEVERITIES, CapAlert, CapArea, Point
from parkwatt.io.alerts.settings import AlertSettings

_EARTH_KM: Final = 6371.0


def announcements(
    alerts: Iterable[CapAlert], settings: AlertSettings, origin: str, now_unix_s: int
) -> dict[str, OutageAnnounced]:
    """The alerts that concern the home and are not over, one announcement for each, by its id.

    ``origin``: who announces, for the ids and the words. Infos of one alert are joined: from the first onset to the last end;
    where one of them is a planned outage, it is one.
    """
    infos: defaultdict[str, list[tuple[CapAlert, OutageKind]]] = defaultdict(list)
    for alert in alerts:
        outage = kind_of(alert, settings)
        if outage is not None and now_unix_s < alert.expires_unix_s > alert.onset_unix_s:
            infos[alert.identifier].append((alert, outage))
    found = {}
    for identifier, of_alert in infos.items():
        is_planned = any(outage == "planned" for _, outage in of_alert)
        counting = [one for one, outage in of_alert if (outage == "planned") == is_planned]
        announcement_id = f"{origin} {identifier}"
        found[announcement_id] = OutageAnnounced(
            announcement_id=announcement_id,
            outage="planned" if is_planned else "storm",
            start_unix_s=min(one.onset_unix_s for one in counting),
            end_unix_s=max(one.expires_unix_s for one in counting),
            origin=origin,
            text=counting[0].headline,
        )
    return found


def kind_of(alert: CapAlert, settings: AlertSettings) -> OutageKind | None:
    """What the alert is for the home; None: nothing, by its event, severity, certainty or area."""
    event = alert.event.casefold()
    if any(word in event for word in settings.planned_events):
        outage: OutageKind = "planned"
    elif any(word in event for word in settings.events):
        outage = "storm"
    else:
        return None
    is_bad = SEVERITIES.index(alert.severity) >= SEVERITIES.index(settings.severity_min)
    # An alert that does not tell how sure it is counts: unknown is not unlikely.
    is_sure = alert.certainty == "Unknown" or (
        CERTAINTIES.index(alert.certainty) >= CERTAINTIES.index(settings.certainty_min)
    )
    # A planned outage is one, however bad its sender finds it.
    if outage == "storm" and not (is_bad and is_sure):
        return None
    return outage if any(_concerns(area, settings) for area in alert.areas) else None


def _concerns(area: CapArea, settings: AlertSettings) -> bool:
    if not settings.areas and settings.point_deg is None:
        return True
    words, codes = area.words.casefold(), {code.casefold() for code in area.codes}
    if any(wanted in codes or wanted in words for wanted in settings.areas):
        return True
    if settings.point_deg is None:
        return False
    point = settings.point_deg
    return any(_is_within(point, one) for one in area.polygons) or any(
        _distance_km(point, centre) <= radius_km for centre, radius_km in area.circles
    )


def _is_within(point: Point, corners: tuple[Point, ...]) -> bool:
    """Whether a line from the point to the east crosses the polygon's edges an odd number of times."""
    latitude, longitude = point
    inside = False
    for (lat_a, lon_a), (lat_b, lon_b) in zip(corners, corners[1:] + corners[:1], strict=True):
        if (lat_a > latitude) != (lat_b > latitude):
            crossing = lon_a + (latitude - lat_a) / (lat_b - lat_a) * (lon_b - lon_a)
            inside ^= longitude < crossing
    return inside


def _distance_km(first: Point, second: Point) -> float:
    """Along a great circle (haversine)."""
    lat_a, lon_a, lat_b, lon_b = map(math.radians, (*first, *second))
    across = math.sin((lat_b - lat_a) / 2) ** 2
    across += math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2.0 * _EARTH_KM * math.asin(min(1.0, math.sqrt(across)))
