"""Why a car charges when it does: what is told adds up, whatever the plan."""

import re

import numpy as np
import pytest

from parkwatt.plan.coordinate.explain import Passed, PathNode, in_runs, passed_over, sentence

STEPS = 12


def node(name: str, price_per_kwh: float, drawn_kw: float = 480.0) -> PathNode:
    """A node with the same figures in all of two steps, and a price in the first alone."""
    limit_kw = np.full(2, 480.0)
    return PathNode(name, np.array([drawn_kw, 100.0]), limit_kw, np.array([price_per_kwh, 0.0]))


def told(path: tuple[PathNode, ...]) -> list[Passed]:
    """Of a car that charges in the second, dearer step."""
    return passed_over(np.array([0.0, 7.0]), np.array([0.10, 0.15]), path, 11.0, (0, 2))


def test_a_full_feeder_is_named_with_its_load() -> None:
    (found,) = told((node("feeder north", 0.08), node("pool", 0.0, 300.0)))
    assert found.is_explained
    assert sentence([found], ("at 03:00", "02:00")) == (
        "It charges at 03:00 for 0.1500 per kWh, although 02:00 is cheaper at 0.1000: at 02:00 feeder north is full "
        "(480 of 480 kW), and a kWh there is worth 0.0800; with that a kWh is worth 0.1800 at 02:00, and 0.1500 at 03:00."
    )


def test_what_no_price_explains_is_not_explained_by_one() -> None:
    (found,) = told((node("feeder north", 0.01),))
    assert not found.is_explained
    assert "no limit on its way explains that" in sentence([found], ("at 03:00", "02:00"))


@pytest.mark.parametrize("power_kw", [[0.0, 0.0], [11.0, 7.0], [7.0, 0.0]])
def test_nothing_is_told_where_nothing_cheaper_was_left(power_kw: list[float]) -> None:
    path = (node("feeder north", 0.08),)
    assert passed_over(np.array(power_kw), np.array([0.10, 0.15]), path, 11.0, (0, 2)) == []


def test_a_step_outside_the_stay_is_not_a_choice() -> None:
    path = (node("feeder north", 0.08),)
    assert passed_over(np.array([0.0, 7.0]), np.array([0.1, 0.15]), path, 11.0, (1, 2)) == []


@pytest.mark.parametrize("seed", range(40))
def test_what_is_told_of_random_plans_adds_up(seed: int) -> None:
    chance = np.random.default_rng(seed)
    own = chance.uniform(0.0, 0.4, STEPS)
    power_kw = np.where(chance.random(STEPS) < 0.5, 0.0, chance.uniform(0.0, 11.0, STEPS))
    path = tuple(
        PathNode(
            name,
            chance.uniform(0.0, 500.0, STEPS),
            np.full(STEPS, 480.0),
            chance.choice([0.0, 0.2], STEPS),
        )
        for name in ("site", "feeder", "pool")
    )
    for one in passed_over(power_kw, own, path, 11.0, (1, STEPS - 1)):
        cheaper, charged = one.cheaper_step, one.charged_step
        assert power_kw[charged] > 0.0
        assert power_kw[cheaper] < 11.0
        assert own[cheaper] < own[charged]
        assert {cheaper, charged} <= set(range(1, STEPS - 1))
        added = sum(part.price_per_kwh for part in one.parts)
        assert one.total_cheaper_per_kwh == pytest.approx(own[cheaper] + added)
        at_charged = own[charged] + sum(each.price_per_kwh[charged] for each in path)
        assert one.total_charged_per_kwh == pytest.approx(at_charged)
        words = sentence([one], ("at A", "B"))
        if "with that" in words:
            worth = sum(float(value) for value in re.findall(r"is worth ([\d.]+)(?=;)", words))
            found = re.search(r"worth ([\d.]+) at B, and ([\d.]+) at A", words)
            assert found is not None
            assert float(found[1]) == pytest.approx(own[cheaper] + worth, abs=2e-4)
            assert float(found[1]) >= float(found[2]) - 2e-4


def test_a_run_of_steps_is_one_sentence_with_true_ranges() -> None:
    own = np.array([0.10, 0.15, 0.15, 0.17, 0.16, 0.15])
    power_kw = np.array([0.0, 7.0, 5.0, 7.0, 0.0, 7.0])
    price = np.array([0.08, 0.0, 0.0, 0.0, 0.0, 0.0])
    full = PathNode("feeder north", np.full(6, 480.0), np.full(6, 480.0), price)
    runs = in_runs(passed_over(power_kw, own, (full,), 11.0, (0, 6)))
    assert [[one.charged_step for one in run] for run in runs] == [[1, 2, 3], [5]]
    assert sentence(runs[0], ("from 01:00 to 04:00", "00:00")) == (
        "It charges from 01:00 to 04:00 for 0.1500 to 0.1700 per kWh, although 00:00 is cheaper at 0.1000: at 00:00 feeder "
        "north is full (480 of 480 kW), and a kWh there is worth 0.0800; with that a kWh is worth 0.1800 at 00:00, and "
        "0.1500 to 0.1700 from 01:00 to 04:00."
    )


def test_what_is_explained_and_what_is_not_are_told_apart() -> None:
    own = np.array([0.10, 0.15, 0.30])
    price = np.array([0.08, 0.0, 0.0])
    full = PathNode("feeder north", np.full(3, 480.0), np.full(3, 480.0), price)
    runs = in_runs(passed_over(np.array([0.0, 7.0, 7.0]), own, (full,), 11.0, (0, 3)))
    assert [[one.is_explained for one in run] for run in runs] == [[True], [False]]
