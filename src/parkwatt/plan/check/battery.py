"""One battery over one span: its powers and the energy that follows from them.

    energy[t+1] = energy[t] + Δ·(charge·charge_efficiency − discharge/discharge_efficiency)

The energy is summed up from the span's start and the powers alone, so that small errors of the
plan cannot add up unseen. A span may start outside [energy_kwh_min, energy_kwh_max]: below, only
charging is allowed until the minimum is reached; above, only discharging until it is within. A
battery that cannot discharge then keeps what it has.
"""

from __future__ import annotations

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.plan.check.report import Findings
from parkwatt.plan.check.spans import Span


def check_battery(span: Span, duration_h: FloatArray, findings: Findings) -> None:
    """Note each power and energy of the span that breaks a rule; ``duration_h``: [T]."""
    _check_power(span, findings)
    _check_energy_follows(span, duration_h, findings)
    _check_energy_bounds(span, findings)
    if span.shortfall_kwh is not None:
        expected = missing_at_departure_kwh(span, findings.missed_from)
        findings.equal(f"{span.span_path}.shortfall_kwh", span.shortfall_kwh, expected)


def missing_at_departure_kwh(span: Span, missed_from: float) -> float:
    """The kWh asked for that are missing: their mean over the instants from ready_from to the end.

    Without ready_from_step that is the one instant of departure. Up to ``missed_from`` an instant counts as met.
    """
    if span.energy_kwh_asked is None:
        return 0.0
    ready = span.to_step if span.ready_from_step is None else span.ready_from_step
    missing_kwh = span.energy_kwh_asked - span.energy_kwh[ready - span.from_step :]
    return float(np.mean(np.where(missing_kwh > missed_from, missing_kwh, 0.0)))


def _check_power(span: Span, findings: Findings) -> None:
    storage, power_kw, tolerance = span.storage, span.power_kw, findings.tolerance
    rules = (
        (
            power_kw > storage.charge_kw_max + tolerance,
            f"must be at most {storage.charge_kw_max:g} (charge_kw_max)",
        ),
        (
            power_kw < -storage.discharge_kw_max - tolerance,
            f"must be at least {-storage.discharge_kw_max:g} (discharge_kw_max)",
        ),
        (
            (power_kw > tolerance) & (power_kw < storage.charge_kw_min - tolerance),
            f"must be 0 or at least {storage.charge_kw_min:g} (charge_kw_min)",
        ),
        (
            (power_kw < -tolerance) & (power_kw > -storage.discharge_kw_min + tolerance),
            f"must be 0 or at most {-storage.discharge_kw_min:g} (discharge_kw_min)",
        ),
    )
    for wrong, rule in rules:
        findings.none_of(span.power_path, wrong, power_kw, rule, offset=span.from_step)


def _check_energy_follows(span: Span, duration_h: FloatArray, findings: Findings) -> None:
    storage = span.storage
    charge_kw = np.maximum(span.power_kw, 0.0)
    discharge_kw = np.maximum(-span.power_kw, 0.0)
    gain_kw = charge_kw * storage.charge_efficiency - discharge_kw / storage.discharge_efficiency
    gain_kwh = duration_h[span.from_step : span.to_step] * gain_kw
    expected = span.energy_kwh_at_start + np.concatenate(([0.0], np.cumsum(gain_kwh)))
    why = "what follows from the energy at the start and the powers"
    findings.equal_series(f"{span.span_path}.energy_kwh", span.energy_kwh, expected, why)


def _check_energy_bounds(span: Span, findings: Findings) -> None:
    storage, tolerance = span.storage, findings.tolerance
    before_kwh, after_kwh = span.energy_kwh[:-1], span.energy_kwh[1:]
    below = before_kwh < storage.energy_kwh_min - tolerance
    above = before_kwh > storage.energy_kwh_max + tolerance
    findings.none_of(
        span.power_path,
        below & (span.power_kw < -tolerance),
        span.power_kw,
        "must not discharge below energy_kwh_min",
        offset=span.from_step,
    )
    findings.none_of(
        span.power_path,
        above & (span.power_kw > tolerance),
        span.power_kw,
        "must not charge above energy_kwh_max",
        offset=span.from_step,
    )
    findings.none_of(
        f"{span.span_path}.energy_kwh",
        ~below & (after_kwh < storage.energy_kwh_min - tolerance),
        after_kwh,
        f"must be at least {storage.energy_kwh_min:g} (energy_kwh_min)",
        offset=1,
    )
    findings.none_of(
        f"{span.span_path}.energy_kwh",
        ~above & (after_kwh > storage.energy_kwh_max + tolerance),
        after_kwh,
        f"must be at most {storage.energy_kwh_max:g} (energy_kwh_max)",
        offset=1,
    )
