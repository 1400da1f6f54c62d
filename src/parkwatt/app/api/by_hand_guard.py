"""Powers that a person sets at a charger of a back end without a site: through the guard all the same.

No site's meter, plan or limits are known there, so the facts are the charger's own: its power, its driver's consent, and the
car's energy where it told that. A site that is run by `parkwatt up` judges with its own facts instead.
"""

from __future__ import annotations

from parkwatt.domain.charger.state import ChargerState, EvseState
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.site.guard.facts import CarFacts, Proposal, SiteFacts, Verdict
from parkwatt.site.guard.guard import Guard
from parkwatt.site.guard.settings import GuardSettings
from parkwatt.site.guard.state import GuardState

_NO_CONSENT = "its driver has not consented to discharging (discharge = true in the site's file)"


def judge_by_hand(
    settings: ChargerSettings,
    state: ChargerState,
    proposal: Proposal,
    lease_s: int,
    now_unix_us: int,
) -> Verdict:
    """What the guard makes of it. A wish is let pass without a link or a car, too: the ladder keeps it for its lease."""
    guard = Guard(GuardSettings(lease_charge_s=lease_s, lease_discharge_s=lease_s), GuardState())
    car = _car_facts(settings, state, proposal.evse_id, now_unix_us)
    facts = SiteFacts(
        base_kw=0.0,  # nobody measures it, and no limit is known that it would count in
        interconnection="export" if settings.discharge else "no_export",
        cars=(car,),
    )
    (verdict,) = guard.judge([proposal], facts, now_unix_us)
    return verdict


def _car_facts(
    settings: ChargerSettings, state: ChargerState, evse_id: int, now_unix_us: int
) -> CarFacts:
    evse = state.evses.get(evse_id)
    return CarFacts(
        charger_id=state.charger_id,
        evse_id=evse_id,
        car_id="",
        linked=True,
        plugged_in=True,
        charge_kw_max=settings.power_kw_max,
        discharge_kw_max=settings.power_kw_max,
        charge_kw_min=settings.power_kw_min or 0.0,
        discharge_kw_min=settings.power_kw_min or 0.0,
        charge_efficiency=1.0,
        discharge_efficiency=1.0,
        energy_kwh=None if evse is None else _energy_kwh(evse, now_unix_us),
        may_discharge=settings.discharge,
        why_not="" if settings.discharge else _NO_CONSENT,
        may_export=settings.discharge,
        default_kw=settings.default_limit_kw,
        driven_by_hand=True,
    )


def _energy_kwh(evse: EvseState, now_unix_us: int) -> float | None:
    """As the car told it: its last believed SoC times its capacity."""
    soc = evse.soc(now_unix_us)
    capacity_kwh = None if evse.needs is None else evse.needs.energy_capacity_kwh
    return None if soc is None or capacity_kwh is None else soc * capacity_kwh
