"""Runs a pool on the event loop: chargers' reports in, what is asked of it in, signed set-points to the chargers out.

All decisions are `parkwatt.fleet.pool.step`'s. What is asked is journalled before it is followed; each order is journalled
with the root of its signature, and the back end journals each command before it sends it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

import msgspec
import numpy as np
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import parkwatt
from parkwatt.app.pool.live import PoolSnapshot
from parkwatt.app.pool.measured import PoolHistory, PoolSecond
from parkwatt.app.pool.members_seen import MembersSeen
from parkwatt.app.pool.settings import PoolSettings
from parkwatt.domain.charger.event import ChargerEvent
from parkwatt.domain.charger.state import ChargerState
from parkwatt.domain.errors import InputError, InputFault, ParkwattError
from parkwatt.domain.fleet import operation as events
from parkwatt.domain.fleet.operation import (
    SUBJECT,
    Admitted,
    ChangeProposed,
    LimitsSet,
    Ordered,
    OrderRefused,
    PoolEvent,
    PoolMinute,
    PoolResumed,
    PoolStarted,
    PoolStopped,
    TargetAsked,
    TargetCancelled,
)
from parkwatt.domain.journal import Journal, JournalClosed, JournalDamaged, JournalFull, Note
from parkwatt.fleet.dispatch.follow import Told, begin
from parkwatt.fleet.guard import approvals
from parkwatt.fleet.guard.admission import Admission, Limits
from parkwatt.fleet.guard.approval import approve
from parkwatt.fleet.guard.orders import OrderPart, check, sign
from parkwatt.fleet.pool import PoolMemory, PoolStep, Wanted, step
from parkwatt.fleet.state import PoolState
from parkwatt.io.ocpp.backend import Backend
from parkwatt.io.store.reader import JournalReader

_US: Final = 1_000_000
_MINUTE_S: Final = 60.0
# A target is asked for at most so long ahead, and for so long.
_AHEAD_US: Final = 7 * 24 * 3600 * _US
_LASTS_US: Final = 24 * 3600 * _US
_ORDER_VALID_S: Final = 10.0
_TARGETS_MAX: Final = 1000


class PoolRunner:
    """One pool; implements `parkwatt.app.pool.live.LivePool`. ``clock``: µs since 1970, never going back. ``key``: signs its
    orders.
    """

    def __init__(
        self,
        settings: PoolSettings,
        backend: Backend,
        journal: Journal,
        clock: Callable[[], int],
        key: Ed25519PrivateKey | None = None,
    ) -> None:
        self.settings = settings
        self.state = PoolState(settings.limits)
        self._history = PoolHistory()
        # What the grid lets the pool draw and give now.
        self.grid_kw = (math.inf, math.inf)
        self._backend, self._journal, self._clock = backend, journal, clock
        self._key = Ed25519PrivateKey.generate() if key is None else key
        self._seen = MembersSeen(settings.members, settings.answer_s)
        count = len(settings.members.charger_id)
        self._memory = PoolMemory(begin(count), Admission(), np.zeros(count, np.float32), -np.inf)
        self._last: PoolStep | None = None
        self._here = self._linked = 0
        self._stored_kwh = (0.0, 0.0)
        self._admitted: Admitted | None = None
        self._seq = 0
        self._taken_seq: dict[int, int] = {}
        self._minute: list[PoolSecond] = []
        self._alarm = ""

    @property
    def alarm(self) -> str:
        """What is wrong, in words; empty where all is well."""
        return self._alarm

    @property
    def history(self) -> PoolHistory:
        """Its seconds and minutes."""
        return self._history

    @property
    def limits(self) -> Limits:
        """What holds now: what was set, but never more than the file of the pool allows."""
        return _tighter(self.state.approvals.limits, self.settings.limits)

    def leads(self, charger_id: str) -> bool:
        """Whether a charger is a member's."""
        return self._seen.has(charger_id)

    # The journal.

    def restore(self, journal: JournalReader) -> int:
        """Fold the pool's entries. Returns how many. Raises JournalDamaged where one cannot be read."""
        count = 0
        for entry in journal.read(subject=SUBJECT):
            if entry.payload is None or entry.kind not in events.KINDS:
                continue
            try:
                event = events.decode(entry.payload)
            except msgspec.MsgspecError as error:
                raise JournalDamaged(f"entry {entry.seq} is no {entry.kind}: {error}") from error
            if isinstance(event, Ordered):
                self._seq = max(self._seq, event.seq)
            elif isinstance(event, PoolMinute):
                self._history.add_minute(event, entry.recorded_unix_us)
            self.state.apply(event, entry.recorded_unix_us)
            count += 1
        self._note(PoolStarted(parkwatt.__version__, len(self.settings.members.charger_id)))
        return count

    async def _durably(self, event: PoolEvent) -> None:
        """Take in what somebody asked; returns once it is in the journal. Raises ParkwattError where it cannot be written."""
        now_unix_us = self._clock()
        try:
            done = asyncio.wrap_future(self._journal.append([_note(event, now_unix_us)]))
            await done
        except JournalClosed as error:
            raise ParkwattError(f"not written down: {error}") from error
        self.state.apply(event, now_unix_us)
        structlog.get_logger().info(events.kind(event), **_shown(event))

    def _note(self, event: PoolEvent) -> bool:
        """Journal what happened; False where that is not possible now."""
        try:
            self._journal.append_then([_note(event, self._clock())], lambda _: None)
        except (JournalFull, JournalClosed) as error:
            self._alarm = f"nothing is led: {error}"
            return False
        self._alarm = ""
        return True

    def note(self, event: PoolEvent) -> bool:
        """Journal what a program beside this one says, and take it in; False where that is not possible now."""
        if not self._note(event):
            return False
        self.state.apply(event, self._clock())
        structlog.get_logger().info(events.kind(event), **_shown(event))
        return True

    # What people and programs ask.

    async def ask(self, asked: TargetAsked) -> TargetAsked:
        """Ask the pool for a power. Raises InputError for what cannot be meant, ParkwattError where it cannot be written."""
        _raise_if_wrong(asked, self._clock(), self.state)
        await self._durably(asked)
        return asked

    async def cancel(self, target_id: str, origin: str) -> bool:
        """Take a target back; False where there is none of that name."""
        if target_id not in self.state.targets:
            return False
        await self._durably(TargetCancelled(target_id, origin))
        return True

    async def stop(self, person: str, reason: str) -> None:
        """One person stops the pool."""
        approvals.stop(self.state.approvals, person)
        await self._durably(PoolStopped(person, reason))

    async def propose_resume(self, person: str, reason: str) -> int:
        """Propose to end a stop; returns the proposal's number."""
        now_s = self._clock() / 1e6
        _, made = approvals.propose_resume(self.state.approvals, person, reason, now_s)
        await self._durably(ChangeProposed(made.proposal_id, person, reason, resumes=True))
        return made.proposal_id

    async def change_limits(self, person: str, limits: Limits, reason: str) -> int | None:
        """Change limits: None where that holds at once, else the proposal's number."""
        limits.raise_if_wrong()
        most = _tighter(limits, self.settings.limits)
        beyond = [
            InputFault(name, f"the pool's file allows {allowed:g}", asked)
            for name, asked, allowed in zip(Limits._fields, limits, most, strict=True)
            if asked != allowed
        ]
        if beyond:
            raise InputError(beyond)
        now_s = self._clock() / 1e6
        _, made = approvals.change_limits(self.state.approvals, person, limits, reason, now_s)
        told = dict(limits._asdict())
        if made is None:
            await self._durably(LimitsSet(told, person))
            return None
        await self._durably(ChangeProposed(made.proposal_id, person, reason, told))
        return made.proposal_id

    async def approve(self, person: str, proposal_id: int) -> None:
        """A second person agrees. Raises InputError where that may not be."""
        now_s = self._clock() / 1e6
        _, made = approvals.approve(self.state.approvals, person, proposal_id, now_s)
        if made.limits is not None:
            limits = dict(made.limits._asdict())
            await self._durably(LimitsSet(limits, made.proposed_by, person, proposal_id))
        if made.resumes:
            await self._durably(PoolResumed(proposal_id, made.proposed_by, person))

    # The loop.

    def on_charger(self, charger_id: str, happened: Sequence[ChargerEvent]) -> None:
        """Something happened at a charger."""
        if happened:
            self._seen.heard(charger_id)

    async def run(self) -> NoReturn:
        """Step after step; a step that takes too long makes the next one late, and none is made up for."""
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            self.step()
            due_s = max(due_s + self.settings.step_s, loop.time())
            await asyncio.sleep(due_s - loop.time())

    def step(self) -> PoolStep:
        """One step now."""
        now_unix_us = self._clock()
        now = self._seen.now(self._state_of, now_unix_us)
        approved = self.state.approvals
        admission = self._memory.admission._replace(stopped=bool(approved.stopped_by))
        asked = self.state.in_force(now_unix_us)
        self._memory, found = step(
            self._memory._replace(admission=admission),
            self.settings.members.arrays,
            now,
            self._wanted(now_unix_us),
            self.limits,
            self.settings.follow,
            now_unix_us / 1e6,
            early_s=self.settings.early_s,
        )
        self._last = found
        self._here = int(now.present.sum())
        self._linked = int((now.present & now.linked).sum())
        known = now.present & ~np.isnan(now.energy_kwh)
        capacity = self.settings.members.arrays.capacity_kwh
        self._stored_kwh = float(now.energy_kwh[known].sum()), float(capacity[known].sum())
        self._remember(found, now_unix_us)
        # What cannot be written down is not sent: leases run out, and cars charge for their drivers.
        if self._tell_admitted(found, asked) and found.told.row.size:
            self._send(found, asked, now_unix_us)
        return found

    def _state_of(self, charger_id: str) -> ChargerState | None:
        station = self._backend.station(charger_id)
        return None if station is None else station.state

    def _wanted(self, now_unix_us: int) -> Wanted:
        import_kw, export_kw = self.grid_kw
        asked = self.state.wanted(now_unix_us)
        return asked._replace(import_kw_max=import_kw, export_kw_max=export_kw)

    def _remember(self, found: PoolStep, now_unix_us: int) -> None:
        second = PoolSecond(
            now_unix_us,
            found.power_kw,
            found.planned_kw,
            found.target_kw,
            found.up_kw,
            found.down_kw,
        )
        self._history.add_second(second)
        if self._minute and second.at_unix_us - self._minute[0].at_unix_us >= _MINUTE_S * _US:
            self._end_minute(now_unix_us)
        self._minute.append(second)

    def _end_minute(self, now_unix_us: int) -> None:
        def mean(values: list[float]) -> float:
            return float(np.mean(values))

        seconds = self._minute
        targets = [one.target_kw for one in seconds if one.target_kw is not None]
        energy_kwh, capacity_kwh = self._stored_kwh
        minute = PoolMinute(
            power_kw=mean([one.power_kw for one in seconds]),
            planned_kw=mean([one.planned_kw for one in seconds]),
            target_kw=mean(targets) if targets else None,
            cars=self._here,
            linked=self._linked,
            up_kw=mean([one.up_kw for one in seconds]),
            down_kw=mean([one.down_kw for one in seconds]),
            energy_kwh=energy_kwh,
            capacity_kwh=capacity_kwh,
        )
        self._minute = []
        if self._note(minute):
            self._history.add_minute(minute, now_unix_us)

    def _tell_admitted(self, found: PoolStep, asked: TargetAsked | None) -> bool:
        """Journal how a wish passed, where that changed; False where the journal takes nothing."""
        target_id = "" if asked is None else asked.target_id
        # Numbers of a way that is ramped change all the time; what holds it back does not.
        rules, before = found.admitted.rules, self._admitted
        if before is not None and (before.target_id, before.rules) == (target_id, rules):
            return not self._alarm or self._note(before)
        if before is None and not target_id and not rules:
            return True
        self._admitted = Admitted(
            target_id, found.wanted_kw, found.admitted.deviation_kw, rules, found.admitted.reason
        )
        structlog.get_logger().info("pool.admitted", **_shown(self._admitted))
        return self._note(self._admitted)

    def _send(self, found: PoolStep, asked: TargetAsked | None, now_unix_us: int) -> None:
        """Sign, check as a gateway does, and hand each set-point to the back end."""
        told, settings = found.told, self.settings
        # A number that rises over restarts too: the clock does.
        self._seq = max(self._seq + 1, now_unix_us)
        parts = sign(
            self._key,
            settings.serve.name,
            self._seq,
            now_unix_us,
            valid_s=_ORDER_VALID_S,
            lease_s=int(settings.follow.lease_s),
            parts=_by_cohort(told, settings.members.arrays.cohort),
        )
        ordered = Ordered(
            self._seq,
            found.target_kw,
            told.expected_kw,
            told.missing_kw,
            int(told.row.size),
            parts[0].root.hex(),
        )
        if not self._note(ordered):
            return
        reason = _reason(settings.serve.name, found, asked)
        for part in parts:
            self._take(part, reason, following=asked is None)

    def _take(self, order: OrderPart, reason: str, *, following: bool) -> None:
        """As the gateway of these chargers."""
        refusal = check(
            order,
            self._key.public_key(),
            pool_id=self.settings.serve.name,
            part=order.part,
            last_seq=self._taken_seq.get(order.part, 0),
            now_unix_us=self._clock(),
        )
        if refusal is not None:
            self._note(OrderRefused(order.seq, order.part, refusal.rule, refusal.reason))
            return
        self._taken_seq[order.part] = order.seq
        for row, power_kw in zip(order.row.tolist(), order.power_kw.tolist(), strict=True):
            approved = approve(
                self._seen.allowed(row),
                power_kw,
                lease_s=order.lease_s,
                reason=reason,
                following=following,
            )
            if approved is not None:
                self._backend.command(approved)

    def snapshot(self) -> PoolSnapshot:
        """The pool now."""
        now_unix_us, last = self._clock(), self._last
        state = self.state
        return PoolSnapshot(
            name=self.settings.serve.name,
            now_unix_us=now_unix_us,
            members=len(self.settings.members.charger_id),
            here=self._here,
            linked=self._linked,
            limits=self.limits,
            last=self._history.last,
            told=0 if last is None else int(last.told.row.size),
            missing_kw=0.0 if last is None else last.told.missing_kw,
            target=state.in_force(now_unix_us),
            admitted=self._admitted,
            stopped_by=state.approvals.stopped_by,
            proposals=state.approvals.open,
            targets=tuple(one for one in state.targets.values() if one.until_unix_us > now_unix_us),
            alarm=self._alarm,
        )


def _tighter(limits: Limits, others: Limits) -> Limits:
    """The safer of two, one by one: a longer wait, else the smaller."""
    pairs = zip(Limits._fields, limits, others, strict=True)
    return Limits(*(max(a, b) if name == "reversal_s" else min(a, b) for name, a, b in pairs))


def _by_cohort(told: Told, cohort: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The set-points of each cohort, a part of the order for each; rows are in order, and so are cohorts."""
    groups = cohort[told.row]
    count = int(cohort.max()) + 1
    edges = np.searchsorted(groups, np.arange(count + 1))
    return [
        (told.row[begin:end], told.power_kw[begin:end])
        for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]


def _reason(name: str, found: PoolStep, asked: TargetAsked | None) -> str:
    if asked is None:
        return f"pool {name}: it charges at once until it holds what is asked for"
    what = "" if found.target_kw is None else f"{found.target_kw:.0f} kW of all cars"
    who = f" for {asked.reason}" if asked.reason else ""
    return f"pool {name}: its share of {what}{who}"


def _raise_if_wrong(asked: TargetAsked, now_unix_us: int, state: PoolState) -> None:
    faults = []
    powers = [one for one in (asked.power_kw, asked.change_kw) if one is not None]
    if len(powers) != 1:
        faults.append(InputFault("power_kw", "either power_kw or change_kw must be given"))
    elif not np.isfinite(powers[0]):
        faults.append(InputFault("power_kw", "must be finite", powers[0]))
    if asked.until_unix_us <= max(now_unix_us, asked.from_unix_us):
        faults.append(InputFault("until", "must be after its beginning and now"))
    elif asked.until_unix_us - asked.from_unix_us > _LASTS_US:
        faults.append(InputFault("until", "must be within a day of its beginning"))
    if asked.from_unix_us > now_unix_us + _AHEAD_US:
        faults.append(InputFault("from", "must be within a week"))
    if len(state.targets) >= _TARGETS_MAX and asked.target_id not in state.targets:
        faults.append(InputFault("targets", f"at most {_TARGETS_MAX} may be open"))
    if faults:
        raise InputError(faults)


def _note(event: PoolEvent, now_unix_us: int) -> Note:
    return Note(
        now_unix_us,
        events.kind(event),
        SUBJECT,
        events.encode(event),
        events.is_telemetry(event),
    )


def _shown(event: PoolEvent) -> dict[str, object]:
    return {name: getattr(event, name) for name in event.__struct_fields__}
