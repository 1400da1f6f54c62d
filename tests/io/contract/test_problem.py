"""A problem is read with every fault told at once, and written so that it reads back the same."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError
from parkwatt.io.contract import problem_from_json, problem_to_json
from tests.plan.generator import random_problem

Table = dict[str, Any]


def sound() -> Table:
    """A small problem with a battery and a vehicle of two stays."""
    fields = {
        "energy_kwh_min": 4.0,
        "energy_kwh_max": 40.0,
        "charge_kw_max": 11.0,
        "discharge_kw_max": 11.0,
        "charge_efficiency": 0.93,
        "discharge_efficiency": 0.93,
    }
    return {
        "version": 1,
        "start": "2026-01-15T16:00:00Z",
        "step_minutes": 60,
        "currency": "EUR",
        "site": {
            "import_price_per_kwh": [0.3, 0.2, 0.1, 0.2],
            "export_price_per_kwh": [0.1, 0.1, 0.1, 0.1],
        },
        "batteries": [{"id": "wall", **fields, "energy_kwh_at_start": 5.0}],
        "vehicles": [
            {
                "id": "leaf",
                **fields,
                "stays": [
                    {
                        "from_step": 0,
                        "to_step": 2,
                        "energy_kwh_at_arrival": 10.0,
                        "energy_kwh_at_departure": 20.0,
                    },
                    {"from_step": 2, "to_step": 4, "energy_kwh_at_arrival": 10.0},
                ],
            }
        ],
    }


def faults_of(table: object) -> list[str]:
    """The faults as a user reads them."""
    with pytest.raises(InputError) as caught:
        problem_from_json(table)
    return [str(fault) for fault in caught.value.faults]


def put(*path: str | int, value: object) -> Callable[[Table], None]:
    """A change that sets one field."""

    def change(table: Any) -> None:
        for key in path[:-1]:
            table = table[key]
        table[path[-1]] = value

    return change


def test_what_is_absent_has_its_default() -> None:
    problem = problem_from_json(sound())
    assert problem.site.batteries_may_export
    assert problem.step_count == 4
    assert problem.time_zone == "UTC"
    assert problem.duration_h.tolist() == [1.0] * 4
    assert problem.site.load_kw.tolist() == [0.0] * 4
    assert problem.site.solar_curtailable
    assert problem.site.import_limit_kw is None
    leaf = problem.vehicles[0]
    assert leaf.charge_kw_min == leaf.holding_price_per_kwh_h == leaf.wear_price_per_kwh == 0.0
    assert leaf.stays[1].energy_kwh_at_departure is None
    assert leaf.stays[0].ready_from_step is None


@given(st.integers(0, 10_000))
def test_writing_and_reading_changes_nothing(seed: int) -> None:
    table = problem_to_json(random_problem(seed))
    again = problem_to_json(problem_from_json(json.loads(json.dumps(table))))
    assert again == table


def test_steps_of_different_length_cannot_be_written() -> None:
    problem = problem_from_json(sound())
    problem.duration_h[2] = 2.0
    with pytest.raises(ValueError, match="one length"):
        problem_to_json(problem)


STAYS = ("vehicles", 0, "stays")
FAULTS: list[tuple[Callable[[Table], None], str]] = [
    (put("version", value=2), "version: must be at most 1, got 2"),
    (put("start", value="2026-01-15T16:00:00"), "start: must name its zone"),
    (put("start", value="2026-01-15T16:00:00+01:00"), "start: must be in UTC"),
    (put("start", value="9999-12-31T23:00:00Z"), "start: must let the horizon end before"),
    (put("start", value="yesterday"), "start: must be a time"),
    (put("step_minutes", value=0), "step_minutes: must be greater than 0, got 0"),
    (put("step_minutes", value=-15), "step_minutes: must be greater than 0, got -15"),
    (put("step_minutes", value=True), "step_minutes: must be a number, got "),
    (put("currency", value=""), "currency: must not be empty"),
    (put("time_zone", value="Europe/Nowhere"), "time_zone: must be a time zone such as"),
    (put("extra", value=1), "extra: is not a known field"),
    (put("site", "tariff", value=1), "site.tariff: is not a known field"),
    (put("site", "import_price_per_kwh", value=[]), "site.import_price_per_kwh: must have at lea"),
    (put("site", "import_price_per_kwh", 1, value=float("nan")), "site.import_price_per_kwh[1]: "),
    (put("site", "import_price_per_kwh", 1, value=1e300), "site.import_price_per_kwh[1]: must be "),
    (put("site", "export_price_per_kwh", value=[0.1]), "site.export_price_per_kwh: must have 4 va"),
    (put("site", "load_kw", value=[1, 2, -3, 4]), "site.load_kw[2]: must be at least 0, got -3"),
    (put("site", "load_kw", value=[1, "2", 3, 4]), "site.load_kw[1]: must be a number, got "),
    (put("site", "solar_kw", value=[1, 2, 3, 10**400]), "site.solar_kw[3]: must be finite"),
    (put("site", "solar_curtailable", value=1), "site.solar_curtailable: must be true or false"),
    (put("site", "import_limit_kw", value=-1), "site.import_limit_kw: must be at least 0, got -1"),
    (put("site", "export_limit_kw", value=float("inf")), "site.export_limit_kw: must be finite"),
    (put("site", "demand_charge_per_kw", value=-1), "site.demand_charge_per_kw: must be at least"),
    (put("batteries", value={}), "batteries: must be a list of tables"),
    (put("batteries", 0, "id", value="leaf"), "vehicles[0].id: must be different for each"),
    (put("batteries", 0, "energy_kwh_min", value=50.0), "batteries[0].energy_kwh_min: must be at"),
    (put("batteries", 0, "energy_kwh_max", value=-1.0), "batteries[0].energy_kwh_max: must be at"),
    (put("batteries", 0, "energy_kwh_at_start", value=None), "batteries[0].energy_kwh_at_start: m"),
    (put("vehicles", 0, "charge_efficiency", value=0.0), "vehicles[0].charge_efficiency: must be"),
    (put("vehicles", 0, "discharge_efficiency", value=1.1), "vehicles[0].discharge_efficiency: mu"),
    (put("vehicles", 0, "charge_kw_min", value=12.0), "vehicles[0].charge_kw_min: must be at most"),
    (put("vehicles", 0, "discharge_kw_min", value=12.0), "vehicles[0].discharge_kw_min: must be a"),
    (put("vehicles", 0, "wear_price_per_kwh", value=-1), "vehicles[0].wear_price_per_kwh: must be"),
    (put("vehicles", 0, "holding_from_kwh", value=-1), "vehicles[0].holding_from_kwh: must be at"),
    (put("vehicles", 0, "stays", value=None), "vehicles[0].stays: must be a list of tables"),
    (put(*STAYS, 1, "to_step", value=5), "vehicles[0].stays[1].to_step: must be at most 4, got 5"),
    (put(*STAYS, 1, "to_step", value=2), "vehicles[0].stays[1].to_step: must be greater than fro"),
    (put(*STAYS, 1, "from_step", value=1), "vehicles[0].stays[1].from_step: must be at least 2"),
    (put(*STAYS, 1, "from_step", value=-1), "vehicles[0].stays[1].from_step: must be at least 0"),
    (put(*STAYS, 1, "from_step", value=2.5), "vehicles[0].stays[1].from_step: must be a whole nu"),
    (put(*STAYS, 0, "energy_kwh_at_arrival", value=-2), "vehicles[0].stays[0].energy_kwh_at_arriv"),
    (put(*STAYS, 0, "ready_from_step", value=0), "vehicles[0].stays[0].ready_from_step: must be g"),
    (put(*STAYS, 0, "ready_from_step", value=3), "vehicles[0].stays[0].ready_from_step: must be g"),
    (put(*STAYS, 1, "ready_from_step", value=3), "vehicles[0].stays[1].ready_from_step: needs ene"),
]


@pytest.mark.parametrize(("change", "expected"), FAULTS, ids=[text for _, text in FAULTS])
def test_each_broken_rule_is_one_line(change: Callable[[Table], None], expected: str) -> None:
    table = sound()
    change(table)
    (fault,) = faults_of(table)
    assert fault.startswith(expected)


REQUIRED = [
    *[(name,) for name in ("version", "start", "step_minutes", "currency", "site")],
    *[("site", name) for name in ("import_price_per_kwh", "export_price_per_kwh")],
    *[("batteries", 0, name) for name in sound()["batteries"][0]],
    *[("vehicles", 0, name) for name in sound()["vehicles"][0]],
    *[(*STAYS, 0, name) for name in ("from_step", "to_step", "energy_kwh_at_arrival")],
]


@pytest.mark.parametrize("path", REQUIRED, ids=str)
def test_a_missing_field_is_named(path: tuple[str | int, ...]) -> None:
    table: Any = sound()
    inner = table
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    name = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)[1:]
    assert any(fault.startswith(f"{name}: is required") for fault in faults_of(table))


def test_all_faults_are_told_at_once() -> None:
    table = sound()
    for change, _ in FAULTS[-3:] + FAULTS[21:24] + FAULTS[:1]:
        change(table)
    assert len(faults_of(table)) == 6  # the last change of ready_from_step replaces the one before


def test_nothing_but_a_table_is_a_problem() -> None:
    no_tables: tuple[object, ...] = (None, 3, "text", [], True)
    for value in no_tables:
        assert faults_of(value)[0].startswith("the input: must be a table of named fields")
    for value in no_tables:
        told = faults_of({**sound(), "site": value})
        assert told[0].startswith("site: must be a table of named fields")


SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.data())
def test_any_value_in_any_place_is_read_or_told_never_a_crash(data: st.DataObject) -> None:
    table: Any = copy.deepcopy(sound())
    places: list[tuple[Any, Any]] = []
    inner = table
    while isinstance(inner, dict | list) and inner and (not places or data.draw(st.booleans())):
        keys = sorted(inner) if isinstance(inner, dict) else range(len(inner))
        places.append((inner, data.draw(st.sampled_from(keys))))
        inner = inner[places[-1][1]]
    parent, key = places[-1]
    parent[key] = data.draw(JSON)
    try:
        problem = problem_from_json(table)
    except InputError as error:
        told = [str(fault) for fault in error.faults]
    else:
        told = [str(np.isfinite(problem.site.import_price_per_kwh).all())]
        assert problem_to_json(problem)
    assert all(told)
