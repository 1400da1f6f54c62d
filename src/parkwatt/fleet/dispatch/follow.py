"""The loop that holds a pool at its target by its meters: a pure step every second or few.

Each car's power is *estimated*: by its own reading once it had time to answer, by its command until then. What the pool's meter
shows beyond the sum of the estimates (chargers that tell what they do not do, losses, a wrong meter) is the *stray* power; it
changes slowly and is followed slowly. What is missing to the target is shared anew:

    aim  =  target − stray − what cars do that cannot be moved

A car whose reading stays below its command cannot do more for now, one above it not less: its reading becomes a bound, for half
a minute first and twice as long each time that this happens again. So what leaves, refuses or is slow is carried by the rest
without being named. A small error is carried by some cars, in turn, so that few cars are told something new each time.

Times are seconds on any clock that does not go back.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.fleet.disaggregate import PoolCars, PowerArray
from parkwatt.fleet.dispatch.bounds import BoolArray, Bounds
from parkwatt.fleet.dispatch.share import share

SecondsArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

# A bound that a reading taught is tried again after so long, and twice that each time after.
_LEARNED_S: Final = 30.0
_DOUBLINGS_MAX: Final = 5
_GOLDEN: Final = 0.6180339887498949


class FollowSettings(NamedTuple):
    """``lease_s``: how long a set-point stands; it is sent again after a third to half of that. ``answer_s``: how long a
    charger may take until its meter is held against a command. ``off_kw``, ``off_share``: by how much it may be off.
    ``still_share``: an error below this share of the target (or of ``still_kw``) moves nobody. ``stray_s``: in how long stray
    power is followed.
    """

    lease_s: float = 60.0
    off_kw: float = 0.2
    off_share: float = 0.03
    still_share: float = 0.0025
    still_kw: float = 1.0
    stray_s: float = 4.0


class Seen(NamedTuple):
    """What is known of N cars now; arrays [N]. ``power_kw``: the newest reading of each, NaN: none; ``read_s``: when it was
    measured; ``answer_s``: how long its charger may take until its meter is held against a command. ``present``: plugged in.
    ``linked``: can be told something. ``alone_kw``: what it does when its lease is over.
    ``pool_kw``: the pool's own meter, None: there is none; ``pool_read_s``: when it was measured.
    """

    power_kw: PowerArray
    read_s: SecondsArray
    answer_s: SecondsArray
    present: BoolArray
    linked: BoolArray
    alone_kw: PowerArray
    pool_kw: float | None
    pool_read_s: float


class Following(NamedTuple):
    """What the loop remembers; arrays [N]. ``command_kw``: the set-point of each, NaN: none yet; ``changed_s``, ``sent_s``:
    when it last changed, and was last sent; ``before_kw``: what it was thought to do before. ``low_kw``, ``high_kw``: bounds
    that readings taught, until ``until_s``; ``strikes``: how often in a row; ``checked_s``: the newest reading that was held
    against a command. ``stray_kw``, ``stray_s``: what nobody's reading accounts for, and when it was last seen. ``turn``: whose
    turn it is. ``settled_kw``: the set-point at ``changed_s``, from which smaller changes may have led away.
    """

    command_kw: PowerArray
    settled_kw: PowerArray
    changed_s: SecondsArray
    sent_s: SecondsArray
    before_kw: PowerArray
    low_kw: PowerArray
    high_kw: PowerArray
    until_s: SecondsArray
    strikes: NDArray[np.int8]
    checked_s: SecondsArray
    stray_kw: float
    stray_s: float
    turn: int


class Told(NamedTuple):
    """What to tell whom now: car ``row`` [M], ascending, hold ``power_kw`` [M]. ``expected_kw``: what the pool comes to with
    it.
    ``missing_kw``: of the target, what nobody could do (see `disaggregate`).
    """

    row: IndexArray
    power_kw: PowerArray
    expected_kw: float
    missing_kw: float


def begin(count: int) -> Following:
    """Nothing was told to ``count`` cars yet."""
    never = np.full(count, -np.inf)
    return Following(
        command_kw=np.full(count, np.nan, np.float32),
        settled_kw=np.full(count, np.nan, np.float32),
        changed_s=never,
        sent_s=never.copy(),
        before_kw=np.zeros(count, np.float32),
        low_kw=np.full(count, -np.inf, np.float32),
        high_kw=np.full(count, np.inf, np.float32),
        until_s=never.copy(),
        strikes=np.zeros(count, np.int8),
        checked_s=never.copy(),
        stray_kw=0.0,
        stray_s=-np.inf,
        turn=0,
    )


def joined(state: Following, row_of: IndexArray) -> Following:
    """The state of a pool whose cars changed: row i was row ``row_of[i]`` before, -1: it is new."""
    fresh, known = begin(len(row_of)), row_of >= 0
    for new, old in zip(fresh, state, strict=True):
        if isinstance(new, np.ndarray) and isinstance(old, np.ndarray):
            new[known] = old[row_of[known]]
    return fresh._replace(stray_kw=state.stray_kw, stray_s=state.stray_s, turn=state.turn)


def follow(
    state: Following,
    seen: Seen,
    planned_kw: PowerArray,
    within: Bounds,
    weight: PowerArray,
    target_kw: float | None,
    now_s: float,
    settings: FollowSettings,
    *,
    threads: int = 1,
) -> tuple[Following, Told]:
    """One step. ``target_kw``: what the pool's meter is to show; None: each car follows its plan.

    ``within``: what each car can and may do (`bounds`); ``weight``: [N] (`weights`).

    Raises InputError where arrays differ in shape or the target is not finite.
    """
    _raise_if_misshapen(state, seen, planned_kw, weight, target_kw)
    state = _learned(state, seen, now_s, settings)
    estimate_kw, waits = _estimates(state, seen, planned_kw, now_s, settings)
    state = _stray(state, seen, estimate_kw, waits, settings)
    movable = seen.present & seen.linked
    high_kw = np.minimum(within.high_kw, state.high_kw)
    # A driver's need may ask for more than the charger gives: then it is what it gives.
    low_kw = np.minimum(np.maximum(within.low_kw, state.low_kw), np.maximum(high_kw, state.low_kw))
    high_kw = np.maximum(high_kw, low_kw)
    low_kw = np.where(movable, low_kw, estimate_kw).astype(np.float32)
    high_kw = np.where(movable, high_kw, estimate_kw).astype(np.float32)
    planned_kw = np.where(movable, planned_kw, estimate_kw).astype(np.float32)
    stands_kw = np.where(np.isnan(state.command_kw), planned_kw, state.command_kw)
    stands_kw = np.where(movable, np.clip(stands_kw, low_kw, high_kw), estimate_kw).astype(
        np.float32
    )
    if target_kw is None:
        power_kw, missing_kw = np.clip(planned_kw, low_kw, high_kw), 0.0
        turn = 0
    else:
        # What a car does a little off its command, it goes on doing off the next one.
        told = movable & ~waits & ~np.isnan(state.command_kw)
        off_kw = np.where(told, estimate_kw - stands_kw, 0.0)
        aim_kw = target_kw - state.stray_kw - float(off_kw.sum(dtype=np.float64))
        weight = np.where(movable, weight, 0.0).astype(np.float32)
        power_kw, missing_kw, turn = share(
            PoolCars(planned_kw, low_kw, high_kw, weight),
            stands_kw,
            within.least_kw,
            aim_kw,
            still_kw=settings.still_share * max(abs(target_kw), settings.still_kw),
            turn=state.turn,
            threads=threads,
        )
    return _tell(
        state._replace(turn=turn), seen, power_kw, estimate_kw, movable, missing_kw, now_s, settings
    )


def _learned(state: Following, seen: Seen, now_s: float, settings: FollowSettings) -> Following:
    """With bounds from readings that came after a car had time to answer."""
    over = state.until_s <= now_s
    low_kw = np.where(over, -np.inf, state.low_kw).astype(np.float32)
    high_kw = np.where(over, np.inf, state.high_kw).astype(np.float32)
    fresh = (
        seen.linked
        & seen.present
        & ~np.isnan(seen.power_kw)
        & ~np.isnan(state.command_kw)
        & (seen.read_s >= state.changed_s + seen.answer_s)
        & (seen.read_s > state.checked_s)
    )
    off_kw = np.where(fresh, seen.power_kw - state.command_kw, 0.0)
    # A reading may be of before the last small change, too.
    may_kw = 2.0 * _may_kw(state.command_kw, settings)
    below, above = fresh & (off_kw < -may_kw), fresh & (off_kw > may_kw)
    high_kw = np.where(below, seen.power_kw, high_kw).astype(np.float32)
    low_kw = np.where(above, seen.power_kw, low_kw).astype(np.float32)
    # The newer of two bounds that cross is right.
    low_kw = np.where(below, np.minimum(low_kw, high_kw), low_kw)
    high_kw = np.where(above, np.maximum(low_kw, high_kw), high_kw)
    failed = below | above
    wait_s = _LEARNED_S * 2.0 ** np.minimum(state.strikes, _DOUBLINGS_MAX)
    wait_s = wait_s * (0.75 + 0.5 * _apart(len(state.strikes)))
    # Only who is off a bound that had already been forgiven is off again; who comes to its command is forgiven.
    again = failed & over
    strikes = np.where(again, np.minimum(state.strikes + 1, _DOUBLINGS_MAX), state.strikes)
    strikes = np.where(fresh & ~failed & over, 0, strikes).astype(np.int8)
    return state._replace(
        low_kw=low_kw,
        high_kw=high_kw,
        until_s=np.where(failed, now_s + wait_s, state.until_s),
        strikes=strikes,
        checked_s=np.where(fresh, seen.read_s, state.checked_s),
    )


def _estimates(
    state: Following, seen: Seen, planned_kw: PowerArray, now_s: float, settings: FollowSettings
) -> tuple[PowerArray, BoolArray]:
    """What each car is thought to do now, and who has been told something that its reading cannot show yet."""
    told = ~np.isnan(state.command_kw)
    read = ~np.isnan(seen.power_kw)
    waits = (
        told
        & seen.linked
        & seen.present
        & (~read | (seen.read_s < state.changed_s + seen.answer_s))
    )
    commanded = np.where(told, state.command_kw, np.where(read, seen.power_kw, planned_kw))
    # A reading that came early still bounds what a slow charger did so far; the command is what is expected.
    estimate_kw = np.where(waits | ~read, commanded, seen.power_kw)
    lost = ~seen.linked
    leased = told & (state.sent_s + settings.lease_s > now_s)
    estimate_kw = np.where(
        lost & leased, state.command_kw, np.where(lost, seen.alone_kw, estimate_kw)
    )
    # A car that did not come to its command before is thought to stay where it was.
    estimate_kw = np.where(waits, np.clip(estimate_kw, state.low_kw, state.high_kw), estimate_kw)
    return np.where(seen.present, estimate_kw, 0.0).astype(np.float32), waits


def _stray(
    state: Following,
    seen: Seen,
    estimate_kw: PowerArray,
    waits: BoolArray,
    settings: FollowSettings,
) -> Following:
    """With what the pool's meter shows beyond the estimates; while much is on its way, the meter says little."""
    if seen.pool_kw is None or seen.pool_read_s <= state.stray_s:
        return state
    away_kw = float(
        np.abs(np.where(waits, estimate_kw - state.before_kw, 0.0)).sum(dtype=np.float64)
    )
    size_kw = max(float(np.abs(estimate_kw).sum(dtype=np.float64)), settings.still_kw)
    trust = max(1.0 - 20.0 * away_kw / size_kw, 0.0)
    passed_s = seen.pool_read_s - state.stray_s if np.isfinite(state.stray_s) else 1.0
    share = trust * min(passed_s / settings.stray_s, 1.0)
    found_kw = seen.pool_kw - float(estimate_kw.sum(dtype=np.float64))
    return state._replace(
        stray_kw=state.stray_kw + share * (found_kw - state.stray_kw), stray_s=seen.pool_read_s
    )


def _tell(
    state: Following,
    seen: Seen,
    power_kw: PowerArray,
    estimate_kw: PowerArray,
    movable: BoolArray,
    missing_kw: float,
    now_s: float,
    settings: FollowSettings,
) -> tuple[Following, Told]:
    """What is sent: what changed, and what has stood for half of its lease."""
    # A watt more or less is no news.
    changed = movable & ~(np.abs(power_kw - state.command_kw) < 1e-3)
    # So little that a reading could not tell it leaves the readings of before as good as they were.
    far = movable & ~(np.abs(power_kw - state.settled_kw) < _may_kw(state.settled_kw, settings))
    stood_s = settings.lease_s * (0.3 + 0.2 * _apart(len(power_kw)))
    again = movable & (state.sent_s + stood_s <= now_s)
    index = np.flatnonzero(changed | again)
    sent_s = state.sent_s.copy()
    sent_s[index] = now_s
    gone = ~seen.present
    state = state._replace(
        command_kw=np.where(gone, np.nan, np.where(changed, power_kw, state.command_kw)).astype(
            np.float32
        ),
        settled_kw=np.where(gone, np.nan, np.where(far, power_kw, state.settled_kw)).astype(
            np.float32
        ),
        changed_s=np.where(far, now_s, state.changed_s),
        before_kw=np.where(far, estimate_kw, state.before_kw).astype(np.float32),
        sent_s=sent_s,
        low_kw=np.where(gone, -np.inf, state.low_kw).astype(np.float32),
        high_kw=np.where(gone, np.inf, state.high_kw).astype(np.float32),
    )
    expected_kw = float(power_kw.sum(dtype=np.float64)) + state.stray_kw
    return state, Told(index, state.command_kw[index], expected_kw, missing_kw)


def _may_kw(power_kw: PowerArray, settings: FollowSettings) -> PowerArray:
    """[N] by how much a charger may be off."""
    return np.maximum(settings.off_kw, settings.off_share * np.abs(power_kw)).astype(np.float32)


def _apart(count: int) -> SecondsArray:
    """[N] numbers from 0 to 1 that are far apart for neighbours, so that not all do something at once."""
    return np.asarray(np.arange(count) * _GOLDEN % 1.0, np.float64)


def _raise_if_misshapen(
    state: Following,
    seen: Seen,
    planned_kw: PowerArray,
    weight: PowerArray,
    target_kw: float | None,
) -> None:
    faults = []
    if target_kw is not None and not np.isfinite(target_kw):
        faults.append(InputFault("target_kw", "must be finite", target_kw))
    shape = state.command_kw.shape
    arrays: dict[str, NDArray[Any]] = {"planned_kw": planned_kw, "weight": weight}
    arrays |= {name: one for name, one in seen._asdict().items() if isinstance(one, np.ndarray)}
    faults += [
        InputFault(name, f"must have shape {shape}", array.shape)
        for name, array in arrays.items()
        if array.shape != shape
    ]
    if faults:
        raise InputError(faults)
