"""The accounts of a running site and those of the study say the same of the same powers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.record import FloatArray
from parkwatt.site.account import CarAccountSettings, sums_by
from parkwatt.site.study.account import meter_flows, wear_cost_by_step
from parkwatt.site.study.inputs import StudyInputs
from tests.site.account.made import Made, folded
from tests.site.account.made import settings as account_settings
from tests.site.made import random_inputs


def bill(inputs: StudyInputs, power_kw: FloatArray) -> float:
    """What the study says that import less export costs."""
    imported, exported, _ = meter_flows(inputs, power_kw)
    money = inputs.import_price_per_kwh * imported - inputs.export_price_per_kwh * exported
    return float(money.sum()) * inputs.grid.step_h


@given(seed=st.integers(0, 100_000))
@settings(max_examples=20)
def test_cost_and_wear_are_the_studys(seed: int) -> None:
    inputs = random_inputs(seed, 2, quarter_hours=True)
    car = replace(inputs.car, energy_kwh_min=0.0, holding_price_per_kwh_h=0.0)
    inputs = replace(inputs, solar_curtailable=False, export_limit_kw=None, car=car)
    chance = np.random.default_rng(seed)
    power = chance.uniform(-car.discharge_kw_max, car.charge_kw_max, inputs.grid.step_count)
    power *= chance.random(len(power)) < 0.6
    imported, exported, _ = meter_flows(inputs, power)
    made, start = Made(), inputs.grid.start_unix_s
    register_in, register_out = 100.0, 10.0
    made.read(start, register_in, register_out)
    stay = made.began(start)
    for step, kw in enumerate(power.tolist()):
        register_in, register_out = register_in + max(kw, 0) / 4, register_out + max(-kw, 0) / 4
        at = start + step * 900
        made.read(at + 900, register_in, register_out)
        made.quarter(
            at,
            buy=float(inputs.import_price_per_kwh[step]),
            sell=float(inputs.export_price_per_kwh[step]),
            import_kwh=float(imported[step]) / 4,
            export_kwh=float(exported[step]) / 4,
        )
    made.ended(stay, inputs.grid.end_unix_s, car_id="car")
    known = account_settings(
        CarAccountSettings(charger_id="CP-1", storage=replace(car, id="car")),
        time_zone=inputs.time_zone,
    )
    (row,) = sums_by(folded(made.entries, known).ledger, "session", 0, 1 << 60)
    without = bill(inputs, np.zeros(len(power)))
    assert row.sums.cost == pytest.approx(bill(inputs, power) - without, abs=1e-6)
    energy = np.full(len(power) + 1, 30.0)
    assert row.sums.wear_cost == pytest.approx(
        float(wear_cost_by_step(inputs, power, energy).sum()), abs=1e-9
    )
