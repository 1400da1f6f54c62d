"""The study's tables and figures from its scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from benchmarks.ev2gym.study import AT_ONCE, BOUND, BOUNDS, OURS, WEAR_PER_KWH, Scores
from benchmarks.harness import Figure
from parkwatt.domain.record import FloatArray

Episodes = dict[int, dict[str, Scores]]
_NAMES: Final = {
    OURS: "**Parkwatt**",
    BOUND: "no agent above",
    "bound, rounded up": "no agent above, rounding granted",
}


def score(episodes: Episodes, agent: str, name: str) -> FloatArray:
    """[seeds] one of EV2Gym's statistics."""
    return np.array([one[agent][name] for one in episodes.values()])


def saved(episodes: Episodes, agent: str) -> float:
    """Of what charging at once costs over all seeds, the share that an agent does not pay."""
    at_once = score(episodes, AT_ONCE, "total_profits").sum()
    return float(1.0 - score(episodes, agent, "total_profits").sum() / at_once)


def best_rival(episodes: Episodes) -> str:
    """EV2Gym's own agent with the best mean reward."""
    rivals = [one for one in next(iter(episodes.values())) if one != OURS]
    return max(rivals, key=lambda one: float(score(episodes, one, "total_reward").mean()))


def more_reward(episodes: Episodes) -> float:
    """By how much less is lost than by the best rival. Rewards are below 0."""
    rival = score(episodes, best_rival(episodes), "total_reward").sum()
    return float(1.0 - score(episodes, OURS, "total_reward").sum() / rival)


def profit_table(episodes: Episodes) -> Iterator[str]:
    """A row for each agent, means over seeds."""
    yield (
        "| agent | profit EUR | saved | energy satisfaction %: mean, worst seed, worst car | overload kW: mean, most |"
        " seeds over charging at once | kWh in, out | wear at 0.02 EUR/kWh given |"
    )
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for agent in next(iter(episodes.values())):
        profit = score(episodes, agent, "total_profits")
        head = f"| {_NAMES.get(agent, agent)} | {profit.mean():.2f} | {100 * saved(episodes, agent):.1f} % |"
        if agent in BOUNDS:
            yield f"{head} | | | | |"
            continue
        over = score(episodes, agent, "total_transformer_overload")
        more = int((over > score(episodes, AT_ONCE, "total_transformer_overload")).sum())
        out = score(episodes, agent, "total_energy_discharged").mean()
        yield (
            f"{head} {_satisfaction(episodes, agent)} | {over.mean():.1f}, {over.max():.1f} | {more} |"
            f" {score(episodes, agent, 'total_energy_charged').mean():.0f}, {out:.0f} | {out * WEAR_PER_KWH:.2f} |"
        )


def seed_table(episodes: Episodes) -> Iterator[str]:
    """A row for each seed: ours against charging at once and the bound."""
    yield "| seed | at once EUR | Parkwatt EUR | difference | saved | bound | satisfaction % | overload kW: at once, Parkwatt |"
    yield "|---:|---:|---:|---:|---:|---:|---:|---:|"
    for seed, one in episodes.items():
        theirs, mine = one[AT_ONCE], one[OURS]
        paid, paid_mine = theirs["total_profits"], mine["total_profits"]
        yield (
            f"| {seed} | {paid:.2f} | {paid_mine:.2f} | {paid_mine - paid:+.2f} | {100 * (1 - paid_mine / paid):.1f} % |"
            f" {one[BOUND]['total_profits']:.2f} | {mine['energy_user_satisfaction']:.2f} |"
            f" {theirs['total_transformer_overload']:.1f}, {mine['total_transformer_overload']:.1f} |"
        )


def tracking_table(episodes: Episodes) -> Iterator[str]:
    """A row for each agent, means over seeds."""
    yield (
        "| agent | reward | Parkwatt ahead on | energy off the set-point kWh | above it kW: mean, most |"
        " energy satisfaction %: mean, worst seed, worst car |"
    )
    yield "|---|---:|---:|---:|---:|---:|"
    ours = score(episodes, OURS, "total_reward")
    for agent in next(iter(episodes.values())):
        reward = score(episodes, agent, "total_reward")
        ahead = "" if agent == OURS else f"{int((ours > reward).sum())} of {len(episodes)}"
        above = score(episodes, agent, "power_tracker_violation")
        off = score(episodes, agent, "energy_tracking_error").mean()
        yield (
            f"| {_NAMES.get(agent, agent)} | {reward.mean():.0f} | {ahead} | {off:.1f} |"
            f" {above.mean():.1f}, {above.max():.1f} | {_satisfaction(episodes, agent)} |"
        )


def figures_of(profit: Episodes, tracking: Episodes) -> Iterator[Figure]:
    """What the tables come to."""
    share, bound = saved(profit, OURS), saved(profit, BOUND)
    least = f"charging at once; no agent saves more than {100 * bound:.1f} %"
    yield Figure("EV2Gym V2GProfitMax, saved", 100 * share, "%", least, share / bound)
    worst = float(score(profit, OURS, "energy_user_satisfaction").min())
    yield Figure("EV2Gym V2GProfitMax, satisfaction, worst seed", worst, "%", "aim 99.9 %", None)
    over = float(score(profit, OURS, "total_transformer_overload").max())
    yield Figure("EV2Gym V2GProfitMax, overload, worst seed", over, "kW", "", None)
    rival = best_rival(tracking)
    yield Figure("EV2Gym PublicPST, reward", 100 * more_reward(tracking), "% more", rival, None)
    above = float(score(tracking, OURS, "power_tracker_violation").max())
    yield Figure("EV2Gym PublicPST, above the set-point", above, "kW", "", None)


def _satisfaction(episodes: Episodes, agent: str) -> str:
    mean = score(episodes, agent, "energy_user_satisfaction")
    least = score(episodes, agent, "min_energy_user_satisfaction").min()
    return f"{mean.mean():.2f}, {mean.min():.2f}, {least:.1f}"
