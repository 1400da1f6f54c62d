"""A virtual home at a moment, in words and as data, with what physically happened so far."""

from __future__ import annotations

from typing import Any

from parkwatt.io.sim.backup.gateway import POLES
from parkwatt.io.sim.backup.home import BackupHome


def status_data(home: BackupHome) -> dict[str, Any]:
    """The home as JSON-ready data; ``truth``: sums since the beginning."""
    totals, counters, source = home.truth.totals, home.gateway.counters, home.source
    return {
        "at_unix_us": home.now_us,
        "utility": home.grid.words(home.now_us),
        "bus": home.bus,
        "frequency_hz": home.frequency_hz,
        "poles": {name: home.gateway.poles[name].actual for name in POLES},
        "source": {
            "state": source.state,
            "because": source.because,
            "power_kw": source.power_kw,
            "left_kwh": source.left_kwh(),
            "car_soc": None if source.car is None else source.car.soc,
        },
        "circuits": {
            name: {"on": one.is_on, "power_kw": one.power_kw} for name, one in home.circuits.items()
        },
        "truth": {
            "seconds": dict(totals.seconds),
            "served_kwh": dict(totals.served_kwh),
            "unserved_kwh": {name: totals.unserved_kwh(name) for name in totals.served_kwh},
            "both_closed_s": counters.both_closed_s,
            "double_bond_s": counters.double_bond_s,
            "interlock_blocks": counters.interlock_blocks,
            "leases_expired": counters.leases_expired,
            "backfeed_s": totals.backfeed_s,
            "backfeed_kwh": totals.backfeed_kwh,
            "paralleled": totals.paralleled,
            "unbonded_s": totals.unbonded_s,
            "trips": source.trips,
            "charged_in_island_kwh": totals.charged_in_island_kwh,
            "discharged_on_grid_kwh": totals.discharged_on_grid_kwh,
            "solar_kwh": totals.solar_kwh,
            "curtailed_kwh": totals.curtailed_kwh,
        },
    }


def status_words(home: BackupHome) -> str:
    """The same in a few lines."""
    totals, counters, source = home.truth.totals, home.gateway.counters, home.source
    poles = ", ".join(
        f"{name.replace('_', ' ')} {home.gateway.poles[name].actual}" for name in POLES
    )
    on_kw = {name: one.power_kw for name, one in home.circuits.items() if one.is_on}
    off = [name for name, one in home.circuits.items() if not one.is_on]
    served_kwh = sum(totals.served_kwh.values())
    unserved_kwh = sum(map(totals.unserved_kwh, totals.served_kwh))
    lines = (
        f"utility {home.grid.words(home.now_us)}; home on {home.bus}; {poles}",
        f"source {source.state}, {source.power_kw:.2f} kW, {source.left_kwh():.1f} kWh left",
        f"circuits {sum(on_kw.values()):.2f} kW; off: {', '.join(off) or 'none'}",
        f"dark for {totals.seconds['dark']:.1f} s",
        f"served {served_kwh:.2f} kWh, unserved {unserved_kwh:.2f} kWh",
        f"both poles closed for {counters.both_closed_s:.1f} s",
        f"fed a dead grid for {totals.backfeed_s:.1f} s",
        f"put onto a live grid {totals.paralleled} times",
        f"interlock needed {counters.interlock_blocks} times",
    )
    return "\n".join(lines)
