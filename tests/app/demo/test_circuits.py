"""The demo's circuits: together they are the household's load."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.app.demo.circuits import CIRCUITS, split_load


@given(st.lists(st.floats(0.0, 20.0), min_size=1, max_size=50))
def test_the_circuits_sum_to_the_load(load_kw: list[float]) -> None:
    parts = split_load(np.array(load_kw))
    assert [one.circuit for one in parts] == list(CIRCUITS)
    assert all(np.all(one.power_kw >= 0.0) for one in parts)
    np.testing.assert_allclose(sum(one.power_kw for one in parts), load_kw, atol=1e-9)


def test_the_base_is_what_the_house_must_have() -> None:
    drawn_kw = {one.circuit.circuit_id: float(one.power_kw[0]) for one in split_load(np.ones(1))}
    assert drawn_kw["fridge"] == 0.1
    assert drawn_kw["heating"] == 0.06
    must_kw = sum(drawn_kw[one.circuit_id] for one in CIRCUITS if one.tier == "must_have")
    assert 0.16 < must_kw < 0.5
