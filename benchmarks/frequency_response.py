"""A thousand virtual cars that answer an hour of a generated frequency: how well, and how long a second takes.

Held against the same cars without a loop: chargers that answer of their own only, and nobody who looks at a meter.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from benchmarks.harness import Figure
from parkwatt.app.fleet.frequency import case_of, generated_hz, read_options
from parkwatt.app.fleet.frequency_command import register
from parkwatt.app.fleet.frequency_play import most_reserve_kw, play
from parkwatt.fleet.frequency.score import pjm_scores

SECONDS = 3900


def figures() -> list[Figure]:
    """The score of an hour by share of chargers that answer of their own, and milliseconds a second."""
    found = [_figure(share) for share in (0.0, 0.5, 1.0)]
    return [one for pair in found for one in pair]


def _figure(local_share: float) -> list[Figure]:
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    words = ["frequency", "--hours", "1", "--local-share", str(local_share)]
    options = read_options(parser.parse_args(words))
    hz = generated_hz(SECONDS, np.random.default_rng(options.seed), 50.0)
    case, rng = case_of(options, hz)
    reserve_kw = 0.8 * most_reserve_kw(case)
    begun_s = time.perf_counter()
    played = play(case._replace(reserve_kw=reserve_kw), rng, lambda _: None)
    took_ms = 1e3 * (time.perf_counter() - begun_s) / SECONDS
    response = played.response(reserve_kw)
    score = pjm_scores(played.share[9::10], response[9::10])[0]
    name = f"1,000 cars answer an hour, {100 * local_share:.0f} % of their own"
    return [
        Figure(f"{name}: score", score.score, "of 1", "asked for: 0.95", score.score / 0.95),
        Figure(f"{name}: a second", took_ms, "ms", "", None),
    ]
