"""By how much of its reserve a pool answers a frequency.

Above nominal the grid has too much power and the pool draws more: shares are positive there, and below nominal negative.
"""

from __future__ import annotations

import itertools
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.fleet.programme import Programme

FloatArray = NDArray[np.float64]
NOMINAL_HZ: Final = 50.0


class Curve(NamedTuple):
    """Points of a curve that rises through 0: ``deviation_mhz`` from ``nominal_hz`` and ``share`` of the reserve there, -1 … 1;
    straight between them, and beyond the ends as at the ends.
    """

    deviation_mhz: tuple[float, ...]
    share: tuple[float, ...]
    nominal_hz: float = NOMINAL_HZ

    def shares(self, frequency_hz: FloatArray) -> FloatArray:
        """[T] the share of each frequency; NaN of NaN."""
        deviation_mhz = (np.asarray(frequency_hz, float) - self.nominal_hz) * 1e3
        return np.asarray(np.interp(deviation_mhz, self.deviation_mhz, self.share), float)

    def share_of(self, frequency_hz: float) -> float:
        """The share of one frequency."""
        return float(self.shares(np.array([frequency_hz]))[0])

    def points_kw(self, reserve_kw: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Frequencies, Hz, and the powers that a charger with this reserve adds there, kW: what OCPP 2.1 calls
        v2xFreqWattCurve.
        """
        hz = tuple(self.nominal_hz + one / 1e3 for one in self.deviation_mhz)
        return hz, tuple(one * reserve_kw for one in self.share)


def curve_of(programme: Programme, nominal_hz: float = NOMINAL_HZ) -> Curve:
    """The curve of a programme of reserves.

    From ``full_activation_mhz`` on all of it; in proportion below. Within the dead band a pool may rest, and outside it has to
    give what the straight line through nominal says (Regulation (EU) 2017/1485, annex V: the band is an insensitivity, the line
    does not begin at its edge). A jump at the edge would move the pool with each crossing, of which there are hundreds a day:
    it rests within half of the band, and comes back to the line until the edge. ``droop_points`` of a programme replace the
    line.

    Raises InputError where the programme has no full activation, or points that do not rise.
    """
    full_mhz = programme.full_activation_mhz
    if full_mhz is None:
        rule = "is not a programme of frequency response: it has no full_activation_mhz"
        raise InputError([InputFault("programme", rule, programme.name)])
    band_mhz = float(programme.deadband_mhz or 0)
    if programme.droop_points:
        side = [(band_mhz, 0.0), *((float(a), float(b)) for a, b in programme.droop_points)]
    elif band_mhz > 0.0:
        side = [(band_mhz / 2.0, 0.0), (band_mhz, band_mhz / full_mhz)]
    else:
        side = [(0.0, 0.0)]
    if side[-1][0] < full_mhz:
        side.append((float(full_mhz), 1.0))
    below = [(-at, -share) for at, share in reversed(side)]
    points = below + [one for one in side if one[0] > 0.0]
    rises = all(a[0] < b[0] and a[1] <= b[1] for a, b in itertools.pairwise(points))
    if not rises or abs(points[-1][1]) > 1.0:
        raise InputError(
            [InputFault("droop_points", "must rise, to at most 1", programme.droop_points)]
        )
    return Curve(tuple(a for a, _ in points), tuple(b for _, b in points), nominal_hz)
