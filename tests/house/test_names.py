"""One word for one thing, its unit at the end, and no room for odds and ends."""

import ast

import pytest

from tests.house import naming, source

# A name without its unit, and why that is right: file::name.
ALLOWED = {
    "src/parkwatt/domain/plan.py::energy": "a part of the cost, an amount of money (contract)",
    "src/parkwatt/site/outcome.py::charger_price": "what a charger costs, an amount of money",
}

BANNED_MODULES = {
    "utils": "name it for what it holds: a module is a noun",
    "util": "name it for what it holds: a module is a noun",
    "common": "put it in the room of its main user, or in domain",
    "core": "say which part: plan, site, …",
    "helpers": "name it for what it holds: a module is a noun",
    "misc": "name it for what it holds: a module is a noun",
}


def unit_faults(module: ast.Module) -> list[tuple[int, str, str]]:
    """Line, name and sentence of each name without its unit."""
    judged = ((line, name, naming.fault(name, note)) for line, name, note in naming.names(module))
    return [(line, name, fault) for line, name, fault in judged if fault is not None]


def test_quantities_end_in_their_unit() -> None:
    found = {
        f"{source.name(path)}::{name}": f"{source.name(path)}:{line}: {fault}"
        for path in source.files_named(".py", under=source.PACKAGE)
        for line, name, fault in unit_faults(source.tree(path))
    }
    source.assert_none(message for place, message in found.items() if place not in ALLOWED)
    assert ALLOWED.keys() <= found.keys(), "an exception that nothing needs any more: remove it"


def test_modules_are_named_for_what_they_hold() -> None:
    faults = [
        f"{source.name(path)}: {BANNED_MODULES[part]}"
        for path in source.files_named(".py")
        for part in path.relative_to(source.ROOT).with_suffix("").parts
        if part in BANNED_MODULES
    ]
    source.assert_none(faults)


@pytest.mark.parametrize(
    ("identifier", "annotation"),
    [
        ("max_power_kw", "float"),
        ("power", "float"),
        ("energy", "FloatArray"),
        ("price", "NDArray[np.float64]"),
        ("duration", "int"),
        ("charge_max", "float | None"),
        ("kw_power", "float"),
        ("capacity_percent", "float"),
        ("import_limit", "Sequence[float]"),
    ],
)
def test_a_name_without_its_unit_is_found(identifier: str, annotation: str) -> None:
    assert naming.fault(identifier, annotation) is not None


@pytest.mark.parametrize(
    ("identifier", "annotation"),
    [
        ("power_kw_max", "float"),
        ("energy_kwh_at_arrival", "float | None"),
        ("import_price_per_kwh", "FloatArray"),
        ("holding_price_per_kwh_h", "float"),
        ("demand_charge_per_kw", "float"),
        ("charge_efficiency", "float"),
        ("capacity_fraction", "float"),
        ("peak_so_far_kw", "float"),
        ("energy_rows", "list[int]"),
        ("charge", "slice"),
        ("price_file", "Path"),
        ("load", "Callable[[float], float]"),
        ("cost", "float"),
    ],
)
def test_a_name_with_its_unit_passes(identifier: str, annotation: str) -> None:
    assert naming.fault(identifier, annotation) is None


def test_fields_parameters_attributes_and_properties_are_read() -> None:
    module = ast.parse(
        "class A:\n"
        "    power: float\n"
        "    def f(self, energy: float, *, price: float) -> None:\n"
        "        self.load: float = energy\n"
        "    @property\n"
        "    def duration(self) -> float: ...\n"
    )
    assert {name for _, name, _ in unit_faults(module)} == {
        "power",
        "energy",
        "price",
        "load",
        "duration",
    }
