"""What the demo's outage came to, by the physics of the virtual home and not by Parkwatt's own account."""

from __future__ import annotations

from collections.abc import Iterator

from parkwatt.app.demo.backed_up_home import Outage
from parkwatt.app.demo.circuits import CIRCUITS
from parkwatt.domain.home.circuit import Tier
from parkwatt.io.sim.backup.home import BackupHome


def outage_words(home: BackupHome, outage: Outage) -> Iterator[str]:
    """What to tell at the end; nothing where the outage was not lived through."""
    if home.now_us < outage.end_unix_s * 1_000_000:
        return
    seconds, totals = home.truth.totals.seconds, home.truth.totals
    hours = (outage.end_unix_s - outage.start_unix_s) / 3600.0
    yield ""
    yield (
        f"The grid was gone for {hours:.1f} h. The house was dark for {seconds['dark']:.0f} s, "
        f"and the car ran it for {seconds['island'] / 3600.0:.1f} h with {totals.source_given_kwh:.1f} kWh."
    )
    must_kwh = _unserved_kwh(home, "must_have")
    other_kwh = _unserved_kwh(home, "nice_to_have") + _unserved_kwh(home, "not_needed")
    yield f"Not supplied: {must_kwh:.3f} kWh of what it must have, {other_kwh:.2f} kWh of the rest."
    yield (
        f"Grid and car were both on the house for {home.gateway.counters.both_closed_s:g} s; "
        f"the car fed the dead grid for {totals.backfeed_s:g} s and charged "
        f"{totals.charged_in_island_kwh:g} kWh meanwhile."
    )


def _unserved_kwh(home: BackupHome, tier: Tier) -> float:
    return sum(
        home.truth.totals.unserved_kwh(one.circuit_id) for one in CIRCUITS if one.tier == tier
    )
