"""`parkwatt fleet frequency`: tests and hours of a record, told and written."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from parkwatt.app.atomic_file import replacing
from parkwatt.app.fleet.frequency_play import Case, most_reserve_kw, play
from parkwatt.app.fleet.frequency_words import (
    FrequencyOptions,
    FrequencyShown,
    figures,
    told,
)
from parkwatt.app.fleet.output import check_file
from parkwatt.app.fleet.progress import FleetProgress
from parkwatt.app.printable import printable
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.record import Faults
from parkwatt.fleet.frequency.block import performed
from parkwatt.fleet.frequency.curve import curve_of
from parkwatt.fleet.frequency.score import (
    energy_test,
    pjm_scores,
    step_test,
)
from parkwatt.io.fleet_files.frequency import FrequencyRecord, read_frequency
from parkwatt.io.programmes.programme_file import programme_named
from parkwatt.io.sim.virtual_pool import virtual_pool

FloatArray = NDArray[np.float64]
_RESERVE_MINUTES: Final = 15
_OF_HOLDABLE: Final = 0.8
_BEFORE_S: Final = 120
_AFTER_S: Final = 60
_HOUR_S: Final = 3600
# A score takes in answers up to five minutes late.
_LATE_S: Final = 300
_FLOOR_SOC, _ASKED_SOC = 0.2, 0.8
_BOUNDS: Final = (
    ("--hours", "hours", 1, 48),
    ("--cars", "cars", 10, 100_000),
    ("--local-share", "local_share", 0.0, 1.0),
    ("--leave", "leave", 0.0, 0.5),
    ("--refuse", "refuse", 0.0, 0.5),
    ("--seed", "seed", 0, 2**32 - 1),
)


def read_options(arguments: argparse.Namespace) -> FrequencyOptions:
    """The options. Raises InputError with all their faults."""
    faults = Faults()
    for option, name, least, most in _BOUNDS:
        value = getattr(arguments, name)
        if not least <= value <= most:
            faults.add(option, f"must be from {least:g} to {most:g}", value)
    if arguments.reserve is not None and not 0.0 < arguments.reserve <= 1e7:
        faults.add("--reserve", "must be above 0 and at most 10000000", arguments.reserve)
    taken: tuple[Path, ...] = () if arguments.record is None else (arguments.record,)
    for option, path in (("--output", arguments.output), ("--report", arguments.report)):
        if path is not None:
            check_file(option, path, taken, faults)
            taken = (*taken, path)
    faults.raise_if_any()
    programme = programme_named(arguments.programme)
    return FrequencyOptions(
        arguments.record,
        programme,
        curve_of(programme),
        arguments.hours,
        arguments.cars,
        arguments.reserve,
        arguments.local_share,
        arguments.leave,
        arguments.refuse,
        arguments.seed,
        arguments.output,
        arguments.report,
    )


def play_frequency(options: FrequencyOptions) -> int:
    """Play, tell and write; returns 0. Raises InputError for bad input, and then writes nothing."""
    with FleetProgress(Console(stderr=True)) as progress:
        record = _record(options)
        shown = _shown(options, record, progress)
    for line in told(shown):
        print(line)
    if options.output is not None:
        with replacing(options.output) as stream:
            json.dump(figures(shown), stream, indent=2)
            stream.write("\n")
        print(f"figures: {printable(str(options.output))}")
    if options.report is not None:
        from parkwatt.app.fleet.frequency_report import write_report

        write_report(shown, options.report)
        print(f"report: {printable(str(options.report))}")
    return 0


def _record(options: FrequencyOptions) -> FrequencyRecord:
    wanted_s = options.hours * _HOUR_S + _LATE_S
    if options.record is None:
        hz = generated_hz(wanted_s, np.random.default_rng(options.seed), options.curve.nominal_hz)
        return FrequencyRecord(0, hz, 1.0, 0)
    faults = Faults()
    record = read_frequency(options.record, faults)
    faults.raise_if_any()
    if record is None:  # cannot be: a fault would have been told
        raise AssertionError("a record was not read, and no fault told")
    if len(record.frequency_hz) < wanted_s:
        hours = (len(record.frequency_hz) - _LATE_S) / _HOUR_S
        rule = f"must be at most what the record holds without a gap, {max(hours, 0.0):.1f} h"
        raise InputError([InputFault("--hours", rule, options.hours)])
    return record._replace(frequency_hz=record.frequency_hz[:wanted_s])


def generated_hz(seconds: int, rng: np.random.Generator, nominal_hz: float) -> FloatArray:
    """A frequency that looks like a large grid's: it wanders with a standard deviation of 20 mHz, comes back in some minutes,
    and is pushed aside at each full hour, when schedules change.
    """
    back_s, spread_mhz = 300.0, 20.0
    pushes = rng.normal(0.0, spread_mhz * np.sqrt(2.0 / back_s), seconds)
    found, value = np.empty(seconds), 0.0
    for second in range(seconds):
        hourly = 60.0 if second % _HOUR_S == 0 else 0.0
        value += pushes[second] - value / back_s + hourly * rng.choice((-1.0, 1.0))
        found[second] = value
    # A grid is heavy: no step from one second to the next.
    smooth = np.convolve(np.pad(found, 15, mode="edge"), np.full(31, 1 / 31), mode="valid")
    return nominal_hz + smooth / 1e3


def case_of(
    options: FrequencyOptions, frequency_hz: FloatArray
) -> tuple[Case, np.random.Generator]:
    """The cars that answer a frequency [T], a value a second: the same each time, as all their chance comes from the seed."""
    rng = np.random.default_rng(options.seed)
    span_s = float(options.hours * _HOUR_S + _LATE_S)
    model = virtual_pool(
        options.cars,
        rng,
        leave=options.leave,
        refuse=options.refuse,
        lie=0.0,
        leave_within_s=span_s,
    )
    # A charger that does not do as it is told charges for its driver.
    model = model._replace(driver_kw=model.charge_kw_max)
    ready_s = np.where(
        rng.random(options.cars) < 0.5, rng.uniform(4.0, 12.0, options.cars) * _HOUR_S, np.inf
    )
    is_local = rng.random(options.cars) < options.local_share
    case = Case(
        frequency_hz,
        options.curve,
        0.0,
        float(options.programme.reserve_minutes or _RESERVE_MINUTES),
        model,
        is_local,
        np.minimum(_FLOOR_SOC * model.full_kwh, model.energy_kwh),
        _ASKED_SOC * model.full_kwh,
        np.where(np.isfinite(model.leaves_s), model.leaves_s, ready_s),
    )
    return case, rng


def _shown(
    options: FrequencyOptions, record: FrequencyRecord, progress: FleetProgress
) -> FrequencyShown:
    case, _ = case_of(options, record.frequency_hz)
    holdable_kw = most_reserve_kw(case)
    reserve_kw = (
        options.reserve_kw if options.reserve_kw is not None else _OF_HOLDABLE * holdable_kw
    )
    if reserve_kw > holdable_kw or reserve_kw <= 0.0:
        rule = f"must be at most what the cars can hold for {case.reserve_minutes:g} minutes, {holdable_kw:.0f} kW"
        raise InputError([InputFault("--reserve", rule, reserve_kw)])
    activation_s = options.programme.full_activation_s or 30
    most = float(options.programme.over_delivery_max or 1.2)
    steps, energies = [], []
    test_s = _BEFORE_S + activation_s + int(case.reserve_minutes * 60) + _AFTER_S
    for sign in (-1.0, 1.0):
        progress.begin("Step and energy test", test_s)
        response = sign * _test_response(options, reserve_kw, sign, test_s, progress)
        answer = response[_BEFORE_S:]
        steps.append(
            step_test(answer[: activation_s + _AFTER_S], full_activation_s=activation_s, most=most)
        )
        energies.append(
            energy_test(
                answer, reserve_minutes=case.reserve_minutes, full_activation_s=activation_s
            )
        )
    progress.begin("The record", len(record.frequency_hz))
    case, rng = case_of(options, record.frequency_hz)
    played = play(case._replace(reserve_kw=reserve_kw), rng, progress.advance)
    response = played.response(reserve_kw)
    return FrequencyShown(
        options,
        record,
        reserve_kw,
        holdable_kw,
        int(case.is_local.sum()),
        (steps[0], steps[1]),
        (energies[0], energies[1]),
        played,
        pjm_scores(played.share[9::10], response[9::10]),
        performed(
            options.programme.name,
            "record",
            played.share,
            response,
            played.is_short,
            full_activation_s=activation_s,
        ),
    )


def _test_response(
    options: FrequencyOptions, reserve_kw: float, sign: float, test_s: int, progress: FleetProgress
) -> FloatArray:
    hz = np.full(test_s, options.curve.nominal_hz)
    hz[_BEFORE_S:] += sign * float(options.programme.full_activation_mhz or 0) / 1e3
    case, rng = case_of(options, hz)
    played = play(case._replace(reserve_kw=reserve_kw), rng, progress.advance)
    return played.response(reserve_kw)
