"""What chargers fall back to: with the house at its peak, nobody's silence breaks a limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.app.live_settings.limits import (
    CircuitSettings,
    ConnectionSettings,
    Plug,
    default_powers_kw,
)
from parkwatt.site.guard.facts import Circuit

_KW = st.floats(0.0, 60.0, allow_nan=False)


def connection(
    import_limit_kw: float | None = None, *, fuse_a: float | None = None, house_kw: float = 6.0
) -> ConnectionSettings:
    """A three-phase connection."""
    if fuse_a is not None:
        import_limit_kw = fuse_a * 230.0 * 3 / 1000.0
    return ConnectionSettings(
        import_limit_kw=import_limit_kw,
        export_limit_kw=None,
        fuse_a=fuse_a,
        phase_count=3,
        voltage_v=230.0,
        interconnection="no_export",
        household_kw_max=house_kw,
    )


@st.composite
def plugs(draw: st.DrawFn) -> list[Plug]:
    """Up to five chargers."""
    count = draw(st.integers(1, 5))
    return [
        Plug(f"C{index}", draw(st.floats(1.4, 22.0)), draw(st.sampled_from([1, 3])))
        for index in range(count)
    ]


@given(limit_kw=_KW, house_kw=_KW, chargers=plugs())
def test_house_and_chargers_together_keep_the_limit(
    limit_kw: float, house_kw: float, chargers: list[Plug]
) -> None:
    found = default_powers_kw(connection(limit_kw, house_kw=house_kw), (), chargers)
    together_kw = sum(found.values())
    assert together_kw <= max(limit_kw - house_kw, 0.0) + 1e-6
    assert all(0.0 <= found[plug.charger_id] <= plug.power_kw_max for plug in chargers)


@given(fuse_a=st.floats(10.0, 100.0), house_kw=_KW, chargers=plugs())
def test_no_phase_is_overloaded_wherever_one_phase_chargers_hang(
    fuse_a: float, house_kw: float, chargers: list[Plug]
) -> None:
    found = default_powers_kw(connection(fuse_a=fuse_a, house_kw=house_kw), (), chargers)
    worst_kw = sum(found[plug.charger_id] / plug.phase_count for plug in chargers)
    free_kw = max(fuse_a * 230.0 * 3 / 1000.0 - house_kw, 0.0)
    assert worst_kw <= free_kw / 3 + 1e-6


@given(limit_kw=_KW, chargers=plugs(), on_circuit=st.integers(0, 5))
def test_a_circuit_keeps_its_own_limit(
    limit_kw: float, chargers: list[Plug], on_circuit: int
) -> None:
    members = tuple(plug.charger_id for plug in chargers[:on_circuit])
    circuit = CircuitSettings(Circuit(name="garage", import_limit_kw=limit_kw), members)
    found = default_powers_kw(connection(), (circuit,), chargers)
    assert sum(found[charger_id] for charger_id in members) <= limit_kw + 1e-6
    for plug in chargers[on_circuit:]:
        assert found[plug.charger_id] >= plug.power_kw_max - 0.001


def test_figures() -> None:
    two = [Plug("A", 11.0, 3), Plug("B", 11.0, 3)]
    assert default_powers_kw(connection(), (), two) == {"A": 11.0, "B": 11.0}
    assert default_powers_kw(connection(24.15), (), two) == {"A": 9.075, "B": 9.075}
    assert default_powers_kw(connection(5.0), (), two) == {"A": 0.0, "B": 0.0}
    one_phase = [Plug("A", 7.4, 1)]
    assert default_powers_kw(connection(fuse_a=35), (), one_phase) == {"A": 6.05}
