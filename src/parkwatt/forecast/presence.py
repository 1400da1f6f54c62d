"""When the car leaves, when it comes back, and what its next trip needs: learned from past sessions.

Stays and absences are spells whose end is forecast by `Spells`. The energy needed for the next trip is what past trips
needed, that is, what was charged after coming back, weighted by the kind of the day of departure, the weekday and
recency, mixed with what trips of a population need. The population's figures come from private sessions in Norwegian
garages (Sørensen et al. 2024, doi 10.1016/j.dib.2024.110883, CC BY 4.0): half of the users, each counting with the root
of the number of sessions.

Nothing after ``now`` is read: a stay is known once it has ended, an absence once the car is back, a trip's energy once
the session after it has ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray
from parkwatt.forecast.days import weighted_quantiles
from parkwatt.forecast.local_time import DAY_S, WEEKDAY, LocalClock, weekday
from parkwatt.forecast.waiting import Spells, WaitingTime

# Chance per hour that a plugged-in car leaves, by local hour from 00: weekdays, then Saturdays, Sundays and holidays.
_LEAVES_PER_H: Final = np.array(
    [
        [
            *(0.005, 0.002, 0.001, 0.002, 0.003, 0.018, 0.22, 0.30, 0.44, 0.19, 0.13, 0.14),
            *(0.11, 0.13, 0.19, 0.13, 0.12, 0.14, 0.11, 0.09, 0.05, 0.024, 0.015, 0.009),
        ],
        [
            *(0.004, 0.002, 0.002, 0.003, 0.002, 0.004, 0.006, 0.017, 0.045, 0.13, 0.13, 0.18),
            *(0.18, 0.21, 0.15, 0.15, 0.10, 0.10, 0.067, 0.05, 0.04, 0.022, 0.013, 0.006),
        ],
    ]
)
# Likewise, chance per hour that a car that is away plugs in again.
_RETURNS_PER_H: Final = np.array(
    [
        [
            *(0.008, 0.004, 0.003, 0.003, 0.002, 0.004, 0.005, 0.009, 0.010, 0.016, 0.011, 0.010),
            *(0.017, 0.018, 0.03, 0.09, 0.10, 0.068, 0.065, 0.078, 0.078, 0.07, 0.043, 0.018),
        ],
        [
            *(0.012, 0.009, 0.003, 0.002, 0.002, 0.002, 0.002, 0.003, 0.007, 0.012, 0.02, 0.025),
            *(0.03, 0.036, 0.046, 0.06, 0.06, 0.053, 0.055, 0.055, 0.045, 0.032, 0.03, 0.017),
        ],
    ]
)
# Energy charged in a session: the population's quantiles at these probabilities.
_TRIP_PROBABILITY: Final = np.array(
    [0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975]
)
_TRIP_ENERGY_KWH: Final = np.array(
    [0.9, 1.5, 2.2, 3.5, 4.8, 5.9, 7.0, 8.4, 10.3, 13.4, 19.1, 25.9, 32.1]
)
_PRIOR_TRIPS: Final = 2.0
_PRIOR_DRAWS: Final = 20
_PRIOR_ENERGY_KWH: Final = np.interp(
    (np.arange(_PRIOR_DRAWS) + 0.5) / _PRIOR_DRAWS, _TRIP_PROBABILITY, _TRIP_ENERGY_KWH
)
_TRIP_HALF_LIFE_DAYS: Final = 60.0
_OTHER_KIND: Final = 0.5
_OTHER_WEEKDAY: Final = 0.7


class PresenceModel:
    """What past sessions of one car tell about the current stay, the next arrival and the next trip.

    ``arrival_unix_s``, ``departure_unix_s``: [N] plugged in and out, in any order; a session that does not end after it
    starts is left out. ``energy_kwh``: [N] charged in the session, NaN where unknown. ``time_zone``: IANA name;
    ``holidays`` count as Sundays. Sessions may reach past ``now``; each is read only once it has ended.
    Raises ValueError where lengths differ or the zone is not known.
    """

    def __init__(
        self,
        arrival_unix_s: TimeArray,
        departure_unix_s: TimeArray,
        energy_kwh: FloatArray,
        time_zone: str,
        holidays: Iterable[date] = (),
    ) -> None:
        if not len(arrival_unix_s) == len(departure_unix_s) == len(energy_kwh):
            raise ValueError("arrival, departure and energy must have the same length")
        clock = LocalClock.of(time_zone, holidays)
        real = departure_unix_s > arrival_unix_s
        order = np.argsort(arrival_unix_s[real], kind="stable")
        arrival = np.asarray(arrival_unix_s, dtype=np.int64)[real][order]
        departure = np.asarray(departure_unix_s, dtype=np.int64)[real][order]
        energy = np.asarray(energy_kwh, dtype=np.float64)[real][order]
        self._clock = clock
        self._stays = Spells(arrival, departure, clock, _LEAVES_PER_H)
        away = arrival[1:] > departure[:-1]
        self._absences = Spells(departure[:-1][away], arrival[1:][away], clock, _RETURNS_PER_H)
        self._learn_trips(departure, energy)

    def _learn_trips(self, departure: TimeArray, energy_kwh: FloatArray) -> None:
        told = np.flatnonzero(np.isfinite(energy_kwh[1:]))
        told = told[np.argsort(departure[told + 1], kind="stable")]
        self._trip_known_unix_s = departure[told + 1]
        self._trip_energy_kwh = energy_kwh[told + 1]
        self._trip_day = self._clock.local_s(departure[told]) // DAY_S
        self._trip_free = self._clock.kind_of_day(self._trip_day) != WEEKDAY
        self._trip_weekday = weekday(self._trip_day)
        self._session_count = len(departure)

    def known_sessions(self, now_unix_s: int) -> int:
        """How many sessions stand behind a forecast made at ``now``."""
        return self._stays.known(now_unix_s)

    def departure(
        self, now_unix_s: int, plugged_in_since_unix_s: int, known_at_unix_s: int | None = None
    ) -> WaitingTime:
        """The distribution of the departure, given that the car is still here at ``now``."""
        return self._stays.waiting(now_unix_s, plugged_in_since_unix_s, known_at_unix_s)

    def departure_quantile(
        self, now_unix_s: int, plugged_in_since_unix_s: int, probability: float
    ) -> int:
        """The instant (unix s) by which only ``probability`` of departures have happened, at most 7 days ahead.

        At 0.02 it covers an early departure: of 100 such stays two are expected to end before it.
        """
        _check_probability(probability)
        return self.departure(now_unix_s, plugged_in_since_unix_s).quantile_unix_s(probability)

    def arrival(
        self, now_unix_s: int, away_since_unix_s: int, known_at_unix_s: int | None = None
    ) -> WaitingTime:
        """The distribution of the next arrival, given that the car is still away at ``now``."""
        return self._absences.waiting(now_unix_s, away_since_unix_s, known_at_unix_s)

    def arrival_quantile(self, now_unix_s: int, away_since_unix_s: int, probability: float) -> int:
        """The instant (unix s) by which ``probability`` of arrivals have happened, at most 7 days ahead."""
        _check_probability(probability)
        return self.arrival(now_unix_s, away_since_unix_s).quantile_unix_s(probability)

    def energy_needed_quantile(
        self, now_unix_s: int, departure_unix_s: int, probability: float
    ) -> float:
        """The energy that covers ``probability`` of the trips begun at ``departure_unix_s``.

        In kWh, at the charger or in the battery as the history's; the trip's charge is what follows at the next arrival.
        """
        _check_probability(probability)
        stop = int(self._trip_known_unix_s.searchsorted(now_unix_s, side="right"))
        day = self._clock.scalar_local_s(departure_unix_s) // DAY_S
        days = np.array([day], dtype=np.int64)
        free = self._clock.kind_of_day(days)[0] != WEEKDAY
        weight = 0.5 ** ((day - self._trip_day[:stop]) / _TRIP_HALF_LIFE_DAYS)
        weight *= np.where(self._trip_free[:stop] == free, 1.0, _OTHER_KIND)
        weight *= np.where(self._trip_weekday[:stop] == weekday(days)[0], 1.0, _OTHER_WEEKDAY)
        energy = np.concatenate((self._trip_energy_kwh[:stop], _PRIOR_ENERGY_KWH))
        weight = np.concatenate((weight, np.full(_PRIOR_DRAWS, _PRIOR_TRIPS / _PRIOR_DRAWS)))
        quantile = weighted_quantiles(
            energy[:, np.newaxis], weight[:, np.newaxis], np.array([probability])
        )
        return float(quantile[0, 0])


def _check_probability(probability: float) -> None:
    if not 0.0 < probability < 1.0:
        raise ValueError(f"probability must be within (0, 1), got {probability}")
