"""The study's tables and figures from its results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.harness import Figure
from benchmarks.outages.bands import BandCheck
from benchmarks.outages.study import STRATEGIES, Result, Strategy

_SHORT_H = 24.0


def must_share(results: Sequence[Result], strategy: Strategy) -> float:
    """Must-have hours over those of perfect foresight; a pair counts for no more than foresight reaches in it."""
    reached = sum(min(one.lived[strategy].must_h, one.bound.must_h) for one in results)
    return reached / sum(one.bound.must_h for one in results)


def nice_share(results: Sequence[Result], strategy: Strategy) -> float:
    """Nice-to-have hours over those of perfect foresight; above 1 where must-have or the driver paid for them."""
    return sum(one.lived[strategy].nice_h for one in results) / sum(
        one.bound.nice_h for one in results
    )


def fully_served_share(results: Sequence[Result], strategy: Strategy) -> float:
    """The share of pairs in which must-have had power all the time that the car was there."""
    return float(np.mean([one.lived[strategy].dark_h < 0.01 for one in results]))


def kept(results: Sequence[Result], strategy: Strategy) -> tuple[int, int]:
    """Departures with the driver's energy, and those at which it was possible."""
    return (
        sum(one.lived[strategy].departures_kept for one in results),
        sum(one.departures_possible for one in results),
    )


def coverage(bands: Sequence[BandCheck]) -> float:
    """The share of outcomes in their band; NaN of none."""
    return float(np.mean([band.is_covered for band in bands])) if bands else float("nan")


def groups(results: Sequence[Result]) -> Iterator[tuple[str, list[Result]]]:
    """All pairs, and the parts of them that are told apart."""
    yield "all", list(results)
    yield "scarce", [one for one in results if one.pair.is_scarce]
    for kind in ("sub-metered", "whole home"):
        yield kind, [one for one in results if one.pair.home.kind == kind]
    yield "planned", [one for one in results if one.pair.outage.planned]
    yield "not planned", [one for one in results if not one.pair.outage.planned]
    yield "one half", [one for one in results if is_first_half(one)]
    yield "other half", [one for one in results if not is_first_half(one)]


def is_first_half(result: Result) -> bool:
    """Homes and outages split in two: whole-home pairs by home, the others by the outage's number."""
    if result.pair.home.kind == "whole home":
        return result.pair.home.name.encode()[-1] % 2 == 0
    return result.pair.number // 2 % 2 == 0


def strategy_table(results: Sequence[Result]) -> Iterator[str]:
    """Markdown: a line for each group of pairs and strategy."""
    yield (
        "| pairs | strategy | must-have, of foresight's | least pair | fully served | nice-to-have, of foresight's "
        "| departures kept | dark with the car there, h | switchings |"
    )
    yield "|---" * 9 + "|"
    for name, part in groups(results):
        for strategy in part[0].lived if part else ():
            lived = [one.lived[strategy] for one in part]
            least = min(
                min(own.must_h / one.bound.must_h, 1.0)
                for own, one in zip(lived, part, strict=True)
                if one.bound.must_h > 0.0
            )
            done, can = kept(part, strategy)
            yield (
                f"| {name}, {len(part)} | {strategy} | {100 * must_share(part, strategy):.2f} % | {100 * least:.1f} % "
                f"| {100 * fully_served_share(part, strategy):.1f} % | {100 * nice_share(part, strategy):.1f} % "
                f"| {done} of {can} | {np.mean([one.dark_h for one in lived]):.2f} "
                f"| {np.mean([one.switchings for one in lived]):.1f} |"
            )


def band_table(results: Sequence[Result]) -> Iterator[str]:
    """Markdown: coverage and width of the bands by group."""
    yield "| pairs | forecasts | below | in the band | above | width over median | error of the median |"
    yield "|---" * 7 + "|"
    for name, part in groups(results):
        yield _band_line(name, bands_of(part))
    every = bands_of(results)
    yield _band_line("all, at the outage's start", [one for one in every if one.ahead_s == 0])
    yield _band_line("all, later in it", [one for one in every if one.ahead_s > 0])
    short = [one for one in every if one.hours_p50 < _SHORT_H]
    yield _band_line(f"all, less than {_SHORT_H:g} h left", short)
    yield _band_line("all, more", [one for one in every if one.hours_p50 >= _SHORT_H])


def bands_of(results: Sequence[Result]) -> list[BandCheck]:
    """All checks of some pairs."""
    return [band for one in results for band in one.bands]


def figures_of(results: Sequence[Result]) -> Iterator[Figure]:
    """The main figures."""
    scarce = [one for one in results if one.pair.is_scarce]
    for strategy in STRATEGIES:
        aim = f"perfect foresight, {len(results)} pairs; aim 98 %" if strategy == "parkwatt" else ""
        share = must_share(results, strategy)
        yield Figure(f"outages, {strategy}: must-have hours", 100 * share, "%", aim, share)
        share = must_share(scarce, strategy)
        aim = f"perfect foresight, {len(scarce)} scarce pairs"
        yield Figure(f"outages, {strategy}: must-have, scarce", 100 * share, "%", aim, share)
        share = nice_share(results, strategy)
        yield Figure(f"outages, {strategy}: nice-to-have hours", 100 * share, "%", "", share)
        done, can = kept(results, strategy)
        told = f"of {can} that were possible"
        yield Figure(f"outages, {strategy}: departures kept", done, "", told, done / can)
    for kind in ("sub-metered", "whole home"):
        bands = bands_of([one for one in results if one.pair.home.kind == kind])
        told = f"{len(bands)} forecasts; aim 75 to 90 %"
        yield Figure(f"hours left, {kind}: in the band", 100 * coverage(bands), "%", told, None)


def _band_line(name: str, bands: Sequence[BandCheck]) -> str:
    if not bands:
        return f"| {name} | 0 | | | | | |"
    below = np.mean([band.outcome_h < band.hours_p10 for band in bands])
    above = np.mean([band.outcome_h > band.hours_p90 for band in bands])
    width = np.median([band.width for band in bands])
    error = np.median([abs(band.outcome_h / band.hours_p50 - 1.0) for band in bands])
    return (
        f"| {name} | {len(bands)} | {100 * below:.1f} % | {100 * coverage(bands):.1f} % | {100 * above:.1f} % "
        f"| {width:.2f} | {error:.2f} |"
    )
