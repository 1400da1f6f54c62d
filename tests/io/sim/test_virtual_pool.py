"""Virtual cars in arrays: they answer late, fall back when nobody leads them, and their energy is what they drew."""

from __future__ import annotations

import numpy as np
import pytest

from parkwatt.io.sim.virtual_pool import Conduct, PoolModel, VirtualPool, virtual_pool

LEASE_S = 30.0


def model(seed: int, *, leave: float = 0.0, refuse: float = 0.0, lie: float = 0.0) -> PoolModel:
    rng = np.random.default_rng(seed)
    return virtual_pool(200, rng, leave=leave, refuse=refuse, lie=lie, leave_within_s=60.0)


def test_set_points_are_held_until_the_lease_is_over() -> None:
    cars = model(0)
    pool = VirtualPool(cars, np.random.default_rng(0))
    begun = pool.true_kw.copy()
    everyone = np.arange(200)
    pool.tell(everyone, -5.0 * np.ones(200), LEASE_S)
    pool.advance(1.0)
    assert (pool.true_kw == begun).sum() > 20, "some answer later than after a second"
    pool.advance(14.0)
    assert pool.true_kw == pytest.approx(-5.0)
    pool.advance(30.0)
    assert pool.true_kw == pytest.approx(cars.driver_kw)


def test_energy_is_what_was_drawn_less_losses() -> None:
    cars = model(1)
    pool = VirtualPool(cars, np.random.default_rng(1))
    drawn_kwh = np.zeros(200)
    for now_s in range(600):
        if now_s % 20 == 0:
            sign = -1.0 if now_s < 300 else 1.0
            pool.tell(np.arange(200), sign * np.linspace(0.0, 7.0, 200), LEASE_S)
        pool.advance(1.0)
        into, out_of = np.maximum(pool.true_kw, 0.0), np.maximum(-pool.true_kw, 0.0)
        drawn_kwh += (into * cars.charge_efficiency - out_of / cars.discharge_efficiency) / 3600.0
    assert pool.energy_kwh - cars.energy_kwh == pytest.approx(drawn_kwh)
    assert (pool.energy_kwh <= cars.full_kwh + 0.01).all()
    assert (pool.energy_kwh >= -0.01).all()


def test_who_refuses_and_who_lies_does_as_before() -> None:
    cars = model(2, refuse=0.3, lie=0.3)
    pool = VirtualPool(cars, np.random.default_rng(2))
    pool.tell(np.arange(200), -4.0 * np.ones(200), 60.0)
    pool.advance(20.0)
    heard = pool.readings()
    refuses, lies = cars.conduct == Conduct.REFUSES, cars.conduct == Conduct.LIES
    assert refuses.sum() > 20
    assert lies.sum() > 20
    assert pool.true_kw[refuses | lies] == pytest.approx(cars.driver_kw[refuses | lies])
    assert heard.power_kw[refuses] == pytest.approx(cars.driver_kw[refuses], rel=0.05)
    assert (heard.power_kw[lies] == -4.0).all()
    # The pool's meter is not lied to.
    assert heard.pool_kw == pytest.approx(pool.true_kw.sum())


def test_who_left_draws_nothing() -> None:
    cars = model(3, leave=0.5)
    pool = VirtualPool(cars, np.random.default_rng(3))
    pool.tell(np.arange(200), 6.0 * np.ones(200), 120.0)
    pool.advance(61.0)
    gone = np.isfinite(cars.leaves_s)
    assert gone.sum() > 50
    assert not pool.true_kw[gone].any()
    assert (pool.readings().present == ~gone).all()


def test_what_is_heard_is_old_and_comes_now_and_then() -> None:
    cars = model(4)
    pool = VirtualPool(cars, np.random.default_rng(4))
    assert np.isnan(pool.readings().power_kw).all()
    heard: list[np.ndarray] = []
    for _ in range(40):
        pool.advance(0.5)
        heard.append(pool.readings().read_s)
    read_s = np.array(heard)
    assert (read_s[-1] <= pool.now_s - cars.reads_late_s).all()
    assert (read_s[-1] > pool.now_s - 11.0).all()
    changes = (read_s[1:] > read_s[:-1]).sum(axis=0)
    assert np.corrcoef(changes, 1.0 / cars.told_every_s)[0, 1] > 0.95
