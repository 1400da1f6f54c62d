"""Integrates a cell's losses over thousands of spans without a loop over spans.

The loss after a span depends on the loss before it twice: through its law (a square root of time
slows down as it grows) and through health, which changes the stress. Both are weak from one span to
the next.

* What drives the laws is taken at a few values of health, 0.1 apart, for all spans of one pass of
  the history, and interpolated by a parabola in between.
* A window of spans is solved by fixed point iteration: guess the losses at the start of every span,
  take every growth at once, sum them up, repeat until nothing moves. The sums run over
  loss**(1/exponent), which grows evenly with exposure; so already the first guess is close and two
  or three rounds suffice.
* A window starts with one span and may hold three times as many as went before it, so the loss
  changes little within. One that does not settle is cut to a quarter; a window of one span is exact
  at once.

The result is the sequence of explicit steps that a loop would take, to a few millionths of
capacity.
"""

import numpy as np

from parkwatt.plan.wear.law import Equations
from parkwatt.plan.wear.spans import FloatArray
from parkwatt.plan.wear.stress import StressHistory

HEALTH_STEP = 0.1

# Below this health the equations say nothing; the stress is held there.
HEALTH_MIN = 0.1

# Between two rounds; what is left after the second is some thirty times less.
LOSS_TOLERANCE = 5e-5
ROUNDS_MAX = 12
WINDOW_GROWTH = 3


class Drive:
    """What drives a cell's laws through the repetitions of a history, for any health.

    Args:
        equations: the cell's.
        history: the stress of one pass of the history.
        count: number of spans, the history laid end to end.
    """

    def __init__(self, equations: Equations, history: StressHistory, count: int) -> None:
        self._equations, self._history = equations, history
        self._span = np.arange(count) % history.count
        self._rows: dict[int, FloatArray] = {}
        self._parabolas: dict[int, FloatArray] = {}

    def at(self, health: FloatArray, window: slice) -> FloatArray:
        """The rows (rows, spans) for the spans in `window`, given the health in each."""
        steps = (1.0 - np.clip(health, HEALTH_MIN, 1.0)) / HEALTH_STEP
        lowest, highest = int(steps.min() / 2), int(steps.max() / 2)
        rows = self._interpolated(lowest, window, steps)
        for block in range(lowest + 1, highest + 1):
            rows = np.where(steps >= 2 * block, self._interpolated(block, window, steps), rows)
        # A parabola through a bend may dip below zero; nothing that drives a loss does.
        return np.maximum(rows, 0.0, out=rows)

    def _interpolated(self, block: int, window: slice, steps: FloatArray) -> FloatArray:
        """The parabola of one block of two health steps."""
        if block not in self._parabolas:
            a, b, c = (self._rows_at(2 * block + i) for i in range(3))
            parabola = np.stack((a, -1.5 * a + 2 * b - 0.5 * c, (a + c) / 2 - b))
            self._parabolas[block] = parabola[:, :, self._span]
        constant, linear, square = self._parabolas[block][:, :, window]
        x = steps - 2 * block
        return np.asarray(constant + x * (linear + x * square))

    def _rows_at(self, step: int) -> FloatArray:
        if step not in self._rows:
            health = max(HEALTH_MIN / 2, 1.0 - step * HEALTH_STEP)
            self._rows[step] = np.array(self._equations.drive(self._history.at(health)))
        return self._rows[step]


def integrate(equations: Equations, history: StressHistory, count: int) -> FloatArray:
    """Losses at the start and after each of `count` spans, the history repeated as often as it
    takes.

    Args:
        equations: the cell's.
        history: the stress of one pass of the history.
        count: number of spans, >= 1.

    Returns:
        Array (losses, count + 1), each loss as a fraction of the capacity of a new battery.
    """
    drive = Drive(equations, history, count)
    exponents = np.array([[law.exponent] for law in equations.laws])
    even = np.empty((len(equations.laws), count + 1))
    even[:, :1] = np.array([[law.initial] for law in equations.laws]) ** (1 / exponents)
    done, size = 0, 1

    def guess(size: int) -> FloatArray:
        return _guess(even[:, : done + 1], size, history.count)

    while done < count:
        size = min(size, count - done)
        while (after := _solve(equations, drive, guess(size), slice(done, done + size))) is None:
            size = max(1, size // 4)
        even[:, done + 1 : done + size + 1] = after
        done += size
        size = WINDOW_GROWTH * done
    return np.asarray(even**exponents)


def _solve(
    equations: Equations, drive: Drive, before: FloatArray, window: slice
) -> FloatArray | None:
    """loss**(1/exponent) after each span of a window, or None if the iteration does not settle."""
    size = window.stop - window.start
    start = before[:, 0].copy()
    after = np.empty_like(before)
    lost = _lost(equations, before)
    for _ in range(ROUNDS_MAX):
        rows = drive.at(1.0 - lost, window)
        first = 0
        for i, law in enumerate(equations.laws):
            own = rows[first : first + law.rows]
            first += law.rows
            if own[0].any():
                np.cumsum(law.growth(before[i], own), out=after[i])
                after[i] += start[i]
            else:  # nothing drives this loss
                after[i] = start[i]
        before[:, 0] = start
        before[:, 1:] = after[:, :-1]
        lost_before, lost = lost, _lost(equations, before)
        if size == 1 or np.max(np.abs(lost - lost_before)) < LOSS_TOLERANCE:
            return after
    return None


def _guess(even: FloatArray, size: int, period: int) -> FloatArray:
    """loss**(1/exponent) before each of the next spans, as it grew in the last pass of the history."""
    done = even.shape[1] - 1
    start = even[:, -1:]
    if done < period:
        return start * (np.arange(done, done + size) / done if done else np.ones(1))
    last_pass = even[:, -1 - period :] - even[:, -1 - period : -period]
    passes, place = np.divmod(np.arange(size), period)
    return np.asarray(start + passes * last_pass[:, -1:] + last_pass[:, place])


def _lost(equations: Equations, even: FloatArray) -> FloatArray:
    """Capacity lost, the sum of all losses."""
    losses = [row**law.exponent for law, row in zip(equations.laws, even, strict=True)]
    return np.asarray(np.sum(losses, axis=0))
