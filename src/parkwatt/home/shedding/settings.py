"""How loads are shed and taken up again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SheddingSettings:
    """``continuous_kw``, ``surge_kw``: what the island's source gives steadily, and for a second.

    ``admit_share``: of the continuous power that an admission may fill by rated powers; the rest is for what is on and
    comes to draw more. ``overload_s``: how long more than the continuous power may flow before something is shed; beyond
    ``surge_share`` of the surge power it is shed at once. ``spacing_s``: between two circuits that are switched on.
    ``calm_s``: how long its energy must have sufficed before a circuit that was shed for energy is on again, twice as long
    each further time, up to ``backoff_s_max``.
    ``backoff_s``: how long a circuit shed for overload waits, twice as long each further time, up to ``backoff_s_max``.
    ``lease_s``: of an *off*. ``fresh_s``: how old a reading may be. ``obeys_s``: how long a switch may take;
    ``insist_s``: how often one is told again that does not obey.
    """

    continuous_kw: float
    surge_kw: float
    admit_share: float = 0.95
    surge_share: float = 0.95
    overload_s: float = 2.0
    spacing_s: float = 10.0
    calm_s: float = 300.0
    backoff_s: float = 300.0
    backoff_s_max: float = 7200.0
    lease_s: int = 300
    fresh_s: float = 15.0
    obeys_s: float = 10.0
    insist_s: float = 60.0
