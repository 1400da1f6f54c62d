"""One charger as the back end sees it: its state, its conversation while it has a link, and its ladder. No I/O.

Whatever happens (a frame, a wish, the time) becomes events; each event changes the state, is shown to the ladder, and what the
ladder asks for becomes calls of the conversation, until nothing more follows. The caller journals a step's events and only
then sends its frames.
"""

from __future__ import annotations

from typing import Any

from parkwatt.domain.charger.command import ReleasePower, SetPower
from parkwatt.domain.charger.event import Booted, ChargerEvent, Connected, Disconnected
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp.call import Answer, Call
from parkwatt.io.ocpp.ladder import Ladder, LadderStep
from parkwatt.io.ocpp.session import v2, v16
from parkwatt.io.ocpp.session.inbound import CertificateOffice, Inbound
from parkwatt.io.ocpp.session.session import Session
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.session.step import Step
from parkwatt.io.ocpp.version import Version

# The ladder answers events with calls whose refusal is an answer again; more rounds than that would be a loop.
_ROUNDS_MAX = 16


class Station:
    """A charger. ``state`` outlives its links; ``session`` is None while it has none."""

    def __init__(
        self,
        state: ChargerState,
        settings: ChargerSettings,
        *,
        office: CertificateOffice | None = None,
    ) -> None:
        self.state = state
        self.settings = settings
        self.ladder = Ladder(settings)
        self.session: Session | None = None
        self._office = office

    @property
    def next_tick_unix_us(self) -> int | None:
        """When `tick` has something to do at the latest; None: only when something happens."""
        times = [self.ladder.next_tick_unix_us]
        if self.session is not None:
            times.append(self.session.next_tick_unix_us)
        return min((time for time in times if time is not None), default=None)

    def connect(
        self, version: Version, security_profile: int, peer: str, now_unix_us: int, *, prefix: str
    ) -> Step:
        """A link was let in. ``prefix``: makes this link's message ids unique."""
        step = Step()
        if self.session is not None:
            step.add(self.disconnect("a new link took its place", now_unix_us))
        self.session = Session(
            self.state,
            version,
            self.settings,
            now_unix_us=now_unix_us,
            prefix=prefix,
            office=self._office,
            dynamic_update=self._dynamic_update,
        )
        connected = Connected(version.value, security_profile, peer)
        self.state.apply(connected, now_unix_us)
        self._follow(Step(events=[connected]), now_unix_us, step)
        return step

    def disconnect(self, reason: str, now_unix_us: int) -> Step:
        """The link is gone."""
        step = Step()
        if self.session is None:
            return step
        ended = self.session.end(now_unix_us)
        self.session = None
        disconnected = Disconnected(reason)
        self.state.apply(disconnected, now_unix_us)
        ended.events.append(disconnected)
        self._follow(ended, now_unix_us, step)
        return step

    def receive(self, data: str | bytes, now_unix_us: int) -> Step:
        """Take in a frame of the link."""
        session = self.session
        if session is None:
            return Step()
        received = session.receive(data, now_unix_us)
        step = Step()
        self._follow(received, now_unix_us, step)
        if session.ready and (
            not session.commissioned or any(type(event) is Booted for event in received.events)
        ):
            self._commission(session, now_unix_us, step)
        return step

    def tick(self, now_unix_us: int) -> Step:
        """Let time pass."""
        step = Step()
        session = self.session
        if session is not None:
            self._follow(session.tick(now_unix_us), now_unix_us, step)
            if session.ready and not session.commissioned:
                self._commission(session, now_unix_us, step)
        self._heed(self.ladder.tick(self.state, now_unix_us), now_unix_us, step)
        return step

    def set_power(self, command: SetPower, now_unix_us: int) -> Step:
        """Hold a power; what comes of it is told by `SetpointJudged`."""
        step = Step()
        self._heed(self.ladder.ask(self.state, command, now_unix_us), now_unix_us, step)
        return step

    def release_power(self, command: ReleasePower, now_unix_us: int) -> Step:
        """End a set-point."""
        step = Step()
        self._heed(self.ladder.release(self.state, command, now_unix_us), now_unix_us, step)
        return step

    def send(self, call: Call, now_unix_us: int) -> Step:
        """Ask the charger for something; the answer comes in a later step, or in this one where there is no link."""
        step = Step()
        if self.session is None:
            step.answers.append(Answer(call, error="Disconnected", description="it has no link"))
            return step
        self._follow(self.session.call(call, now_unix_us), now_unix_us, step)
        return step

    def forget_rung(self, evse_id: int, now_unix_us: int) -> Step:
        """Let a connection point prove anew what it can."""
        step = Step()
        self._heed(self.ladder.forget(self.state, evse_id, now_unix_us), now_unix_us, step)
        return step

    def fold(self, event: ChargerEvent, now_unix_us: int) -> None:
        """Take in an event of the journal, as it was taken in when it happened; nothing follows from it now."""
        self.state.apply(event, now_unix_us)
        self.ladder.observe(self.state, event, now_unix_us)

    def _dynamic_update(self, profile_id: int, now_unix_us: int) -> dict[str, Any] | None:
        return self.ladder.dynamic_update(self.state, profile_id, now_unix_us)

    def _commission(self, session: Session, now_unix_us: int, step: Step) -> None:
        """Ask a charger that is ready what it can do, and set what it is to report."""
        session.commissioned = True
        inbound = Inbound(self.state, self.settings, session.version, now_unix_us, self._office)
        dialect = v2 if session.version.is_2 else v16
        for call in dialect.commissioning_calls(inbound):
            self._follow(session.call(call, now_unix_us), now_unix_us, step)

    def _follow(self, news: Step, now_unix_us: int, step: Step) -> None:
        """Add a step of the conversation, and show what it brought to the ladder."""
        pending = [news]
        for _ in range(_ROUNDS_MAX):
            if not pending:
                return
            current = pending.pop(0)
            step.add(current)
            for event in current.events:
                self._heed_one(
                    self.ladder.observe(self.state, event, now_unix_us), now_unix_us, step, pending
                )
            for answer in current.answers:
                self._heed_one(
                    self.ladder.answered(self.state, answer, now_unix_us),
                    now_unix_us,
                    step,
                    pending,
                )
        for rest in pending:
            step.add(rest)

    def _heed(self, decided: LadderStep, now_unix_us: int, step: Step) -> None:
        """Carry out what the ladder decided of its own."""
        pending: list[Step] = []
        self._heed_one(decided, now_unix_us, step, pending)
        for news in pending:
            self._follow(news, now_unix_us, step)

    def _heed_one(
        self, decided: LadderStep, now_unix_us: int, step: Step, pending: list[Step]
    ) -> None:
        for event in decided.events:
            self.state.apply(event, now_unix_us)
        step.events += decided.events
        if self.session is not None:
            pending += [self.session.call(call, now_unix_us) for call in decided.calls]
