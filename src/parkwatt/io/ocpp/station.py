"""One charger as the back end sees it: its state, its conversation while it has a link, and its ladder. No I/O.

Whatever happens (a frame, a wish, the time) becomes events. Each changes the state and is shown to the ladder at once, before
anything follows from it, and what the ladder decides stands behind it in the step: the journal has all in the order in which it
worked, so that folding it (`fold`) gives the same state and the same ladder. What the ladder asks for becomes calls of the
conversation once the message at hand is answered. The caller journals a step's events and only then sends its frames.
"""

from __future__ import annotations

from collections import deque
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


class Station:
    """A charger. ``state`` and ``ladder`` outlive its links; ``session`` is None while it has none.

    ``ladder``: as the fold of its journal left it; a new one for a new charger. ``calls``: what it asks for, on its way.
    """

    def __init__(
        self,
        state: ChargerState,
        settings: ChargerSettings,
        *,
        office: CertificateOffice | None = None,
        ladder: Ladder | None = None,
    ) -> None:
        self.state = state
        self.settings = settings
        self.ladder = Ladder(settings) if ladder is None else ladder
        self.session: Session | None = None
        self._office = office
        self.calls: deque[Call] = deque()

    @property
    def next_tick_unix_us(self) -> int | None:
        """When `tick` has something to do at the latest; None: only when something happens."""
        ladders = self.ladder.next_tick_unix_us
        sessions = None if self.session is None else self.session.next_tick_unix_us
        if ladders is None or (sessions is not None and sessions < ladders):
            return sessions
        return ladders

    def connect(
        self, version: Version, security_profile: int, peer: str, now_unix_us: int, *, prefix: str
    ) -> Step:
        """A link was let in. ``prefix``: makes this link's message ids unique."""
        step = Step()
        if self.session is not None:
            step = self.disconnect("a new link took its place", now_unix_us)
        self.session = Session(
            self.state,
            version,
            self.settings,
            now_unix_us=now_unix_us,
            prefix=prefix,
            office=self._office,
            dynamic_update=self._dynamic_update,
            witness=self,
        )
        self._note(Connected(version.value, security_profile, peer), now_unix_us, step)
        self._ask(now_unix_us, step)
        return step

    def disconnect(self, reason: str, now_unix_us: int) -> Step:
        """The link is gone, by the journal too if it ended with the process that had it."""
        step = Step()
        if self.session is not None:
            step = self.session.end(now_unix_us)
            self.session = None
        if self.state.connected:
            self._note(Disconnected(reason), now_unix_us, step)
        self._ask(now_unix_us, step)
        return step

    def receive(self, data: str | bytes, now_unix_us: int) -> Step:
        """Take in a frame of the link."""
        session = self.session
        if session is None:
            return Step()
        step = session.receive(data, now_unix_us)
        if session.ready and (
            not session.commissioned or any(type(event) is Booted for event in step.events)
        ):
            self._commission(session, now_unix_us, step)
        return step

    def tick(self, now_unix_us: int) -> Step:
        """Let time pass."""
        session = self.session
        step = Step() if session is None else session.tick(now_unix_us)
        if session is not None and session.ready and not session.commissioned:
            self._commission(session, now_unix_us, step)
        return self._decided(self.ladder.tick(self.state, now_unix_us), now_unix_us, step)

    def set_power(self, command: SetPower, now_unix_us: int) -> Step:
        """Hold a power; what comes of it is told by `SetpointJudged`. Raises InputError for what cannot be meant."""
        return self._decided(self.ladder.ask(self.state, command, now_unix_us), now_unix_us, Step())

    def release_power(self, command: ReleasePower, now_unix_us: int) -> Step:
        """End a set-point, if there is one."""
        if command.evse_id not in self.ladder.memory.evses:
            return Step()
        decided = self.ladder.release(self.state, command, now_unix_us)
        return self._decided(decided, now_unix_us, Step())

    def forget_rung(self, evse_id: int, now_unix_us: int) -> Step:
        """Let a connection point prove anew what it can."""
        decided = self.ladder.forget(self.state, evse_id, now_unix_us)
        return self._decided(decided, now_unix_us, Step())

    def send(self, call: Call, now_unix_us: int) -> Step:
        """Ask the charger for something; the answer comes in a later step, or in this one where there is no link."""
        step = Step()
        if self.session is None:
            step.answers.append(Answer(call, error="Disconnected", description="it has no link"))
            return step
        self.session.ask(call, now_unix_us, step)
        return step

    # As the witness of the session.

    def saw(self, event: ChargerEvent, now_unix_us: int, events: list[ChargerEvent]) -> None:
        """Show an event to the ladder."""
        decided = self.ladder.observe(self.state, event, now_unix_us)
        if decided.events or decided.calls:
            self._take_over(decided, now_unix_us, events)

    def heard(self, answer: Answer, now_unix_us: int, events: list[ChargerEvent]) -> None:
        """Show an answer to the ladder."""
        self._take_over(self.ladder.answered(self.state, answer, now_unix_us), now_unix_us, events)

    # What follows.

    def _dynamic_update(self, profile_id: int, now_unix_us: int) -> dict[str, Any] | None:
        return self.ladder.dynamic_update(self.state, profile_id, now_unix_us)

    def _commission(self, session: Session, now_unix_us: int, step: Step) -> None:
        """Ask a charger that is ready what it can do, and set what it is to report."""
        session.commissioned = True
        inbound = Inbound(self.state, self.settings, session.version, now_unix_us, self._office)
        dialect = v2 if session.version.is_2 else v16
        for call in dialect.commissioning_calls(inbound):
            session.ask(call, now_unix_us, step)

    def _note(self, event: ChargerEvent, now_unix_us: int, step: Step) -> None:
        self.state.apply(event, now_unix_us)
        step.events.append(event)
        self.saw(event, now_unix_us, step.events)

    def _decided(self, decided: LadderStep, now_unix_us: int, step: Step) -> Step:
        self._take_over(decided, now_unix_us, step.events)
        self._ask(now_unix_us, step)
        return step

    def _take_over(self, decided: LadderStep, now_unix_us: int, events: list[ChargerEvent]) -> None:
        for event in decided.events:
            self.state.apply(event, now_unix_us)
        events += decided.events
        self.calls += decided.calls

    def _ask(self, now_unix_us: int, step: Step) -> None:
        """Hand on what the ladder asks for; without a link it goes nowhere."""
        if self.session is None:
            self.calls.clear()
        elif self.calls:
            self.session.proceed(now_unix_us, step)
