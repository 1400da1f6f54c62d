"""What the API needs of a running site: one object that the routes get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from parkwatt.app.api.by_hand_guard import judge_by_hand
from parkwatt.app.api.live import LiveSite
from parkwatt.app.api.upkeep import Upkeep
from parkwatt.app.pool.live import LivePool
from parkwatt.app.serve_settings import ServeSettings
from parkwatt.app.tried_chargers import TriedChargers
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.io.credentials.store import CredentialStore
from parkwatt.io.ocpp.backend import Backend
from parkwatt.io.store.sqlite_journal import SqliteJournal
from parkwatt.site.guard.facts import Proposal


@dataclass(frozen=True, slots=True)
class Site:
    """The parts of a running back end. ``now_unix_us``: the clock.

    ``live``: the site's control; None where only its chargers are served. ``upkeep``: the site's own file; None where nobody
    keeps it but a person. ``tried``: chargers that were refused. ``pool``: what leads many cars as one, None: nothing does.
    """

    settings: ServeSettings
    backend: Backend
    journal: SqliteJournal
    credentials: CredentialStore
    now_unix_us: Callable[[], int]
    live: LiveSite | None = None
    pool: LivePool | None = None
    upkeep: Upkeep | None = None
    tried: TriedChargers = field(default_factory=TriedChargers)

    def alarms(self) -> list[str]:
        """What is wrong, in words; empty where all is well."""
        alarm = self.journal.alarm
        alarms = [] if alarm is None else [alarm]
        if self.pool is not None and self.pool.alarm:
            alarms.append(self.pool.alarm)
        return alarms if self.live is None else [*alarms, *self.live.snapshot().alarms]

    def hand_power(self, proposal: Proposal, lease_s: int = 600) -> None:
        """A person sets or releases (None) the power of a charger that was heard of: sent as far as the guard lets it pass.

        Raises InputError for what cannot be meant.
        """
        station = self.backend.station(proposal.charger_id)
        if station is None:
            return
        if self.pool is not None and self.pool.leads(proposal.charger_id):
            rule = "is led by the pool: ask the pool for a target, or stop it"
            raise InputError([InputFault("charger_id", rule, proposal.charger_id)])
        if self.live is not None and self.live.drives(proposal.charger_id, proposal.evse_id):
            self.live.hand_power(proposal, lease_s)
            return
        verdict = judge_by_hand(
            station.settings, station.state, proposal, lease_s, self.now_unix_us()
        )
        if verdict.approved is not None:
            self.backend.command(verdict.approved)
