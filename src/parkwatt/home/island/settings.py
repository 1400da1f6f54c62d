"""How an island machine waits, believes and tries again."""

from __future__ import annotations

from dataclasses import dataclass, field

from parkwatt.domain.home.gateway import GatewayAbilities
from parkwatt.home.grid_code import GridCode


@dataclass(frozen=True, slots=True, kw_only=True)
class IslandSettings:
    """Times and bounds of one home's island machine.

    ``grid_code``: when the grid counts as back. ``abilities``: what the gateway has feedback for.
    ``confirm_s``: an outage is confirmed after that long without a break; anything shorter is a dip (transfer switches take
    1 to 10 s). ``reading_age_s``: an older reading is unknown. ``silence_s``: unknown for so long beyond that is a fault.
    ``answer_s``: a pole answers within it; ``source_answer_s``: a car's inverter takes longer (GM tells about 35 s).
    ``settle_s``: feedback counts as an answer when it was measured that long after the first request.
    ``dead_s``: how long the output is dead before the grid's pole is closed. ``contradiction_s``: how long feedback may
    contradict itself while contacts move. ``backfeed_s``: a grid that comes back within it after the island's source was
    closed may be that source's own voltage, behind a contact that lies. ``lease_s``: see `ApprovedTransfer`.
    ``repeat_s``: a request is repeated after it. ``pause_s``: after longer without a step nothing counts as observed.
    ``restart_first_s``, ``restart_waits_s``: waits before the second, third, … try (Enphase's 10, 20, 40, 120 min after a
    quick one). ``forget_s``: failures further back do not lengthen a wait. ``return_wait_s``: after a return that failed.
    ``retest_s``: after a restart of the program a test that was begun is not begun again for so long.
    ``voltage_pu_lost``, ``voltage_pu_most``, ``frequency_hz_span``: beyond these the grid counts as absent (IEEE 1547-2018,
    table 11: 0.70 pu is the slow undervoltage trip of category II, 1.20 the fast overvoltage trip; table 18: ±2 Hz are about
    its frequency trips); between them and the grid code's band it is present, and not good enough to return to.
    """

    grid_code: GridCode
    abilities: GatewayAbilities = field(default_factory=GatewayAbilities)
    confirm_s: float = 2.0
    reading_age_s: float = 5.0
    silence_s: float = 5.0
    answer_s: float = 5.0
    source_answer_s: float = 60.0
    settle_s: float = 1.0
    dead_s: float = 1.0
    contradiction_s: float = 3.0
    backfeed_s: float = 5.0
    lease_s: int = 15
    repeat_s: float = 2.0
    pause_s: float = 10.0
    restart_first_s: float = 30.0
    restart_waits_s: tuple[float, ...] = (600.0, 1200.0, 2400.0, 7200.0)
    forget_s: float = 14_400.0
    return_wait_s: float = 60.0
    retest_s: float = 3600.0
    voltage_pu_lost: float = 0.70
    voltage_pu_most: float = 1.20
    frequency_hz_span: float = 2.0

    def wait_s(self, failures: int) -> float:
        """How long to wait before another try after so many failures."""
        if failures <= 1:
            return self.restart_first_s if failures else 0.0
        return self.restart_waits_s[min(failures - 2, len(self.restart_waits_s) - 1)]
