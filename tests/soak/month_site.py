"""Parkwatt as a process of its own in a month's simulated time: it may be killed at any moment and started again.

`python -m tests.soak.month_site SITE.toml CONTROL_PORT START_UNIX_US RESTORED` follows the master that listens on the port.
Each start adds a line to the file RESTORED: the journal's last entry then, and a digest of the state and of the accounts that
were found in it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from parkwatt.app.live_settings.settings import LiveSettings, load_live_settings
from parkwatt.app.logs import set_up_logs
from parkwatt.app.serve.run import serve
from parkwatt.app.site_report.journal_accounts import JournalAccounts
from parkwatt.app.site_report.settings import account_settings
from parkwatt.app.site_report.views import AccountView
from parkwatt.app.up.run import SiteControl
from parkwatt.app.up.runner import SiteRunner
from parkwatt.app.up.sources import live_sources
from parkwatt.io.clock.granted import GrantedPace
from parkwatt.io.clock.sim_clock import SimClock
from parkwatt.io.clock.steady_clock import SteadyClock
from parkwatt.io.clock.warp_loop import run_warped
from parkwatt.io.ocpp.backend import Backend
from parkwatt.io.store.sqlite_journal import SqliteJournal
from parkwatt.site.live.state import SiteState, encode_state


def digest(state: SiteState) -> str:
    """A fingerprint of all that a site knows."""
    whole = json.loads(bytes(encode_state(state)))
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def accounts_digest(view: AccountView) -> str:
    """A fingerprint of all that a report tells."""
    return hashlib.sha256(view.model_dump_json().encode()).hexdigest()


class WitnessedControl(SiteControl):
    """Writes down what each start found."""

    def __init__(self, settings: LiveSettings, restored: Path) -> None:
        super().__init__(settings.site, partial(live_sources, settings))
        self._restored = restored

    def attach(
        self, backend: Backend, journal: SqliteJournal, clock: Callable[[], int]
    ) -> SiteRunner:
        """As always, with a line for the record."""
        runner = super().attach(backend, journal, clock)
        accounts = JournalAccounts(journal.path, account_settings(runner.settings))
        found = {
            "seq": journal.last_seq,
            "digest": digest(runner.controller.state),
            "accounts": accounts_digest(accounts.view()),
        }
        with self._restored.open("a", encoding="utf-8") as file:
            file.write(json.dumps(found) + "\n")
        return runner


async def _serve(settings: LiveSettings, start_unix_us: int, restored: Path) -> None:
    loop = asyncio.get_running_loop()
    clock = SimClock(loop.time, start_unix_us)
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    await serve(
        settings.serve,
        stopping,
        clock=SteadyClock(clock, loop.time),
        control=WitnessedControl(settings, restored),
        on_start=lambda *_: None,
    )


def main() -> None:
    """Run until killed."""
    site, control_port, start_unix_us, restored = sys.argv[1:]
    settings = load_live_settings(Path(site))
    set_up_logs(settings.serve.log_format, settings.serve.log_level)
    pace = GrantedPace.connect(int(control_port))
    begin_s = pace.begin_s
    run_warped(_serve(settings, int(start_unix_us), Path(restored)), pace, begin_s=begin_s)


if __name__ == "__main__":
    main()
