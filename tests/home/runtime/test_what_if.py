"""The seed figures."""

from __future__ import annotations

import pytest

from parkwatt.home.runtime import what_if


@pytest.mark.parametrize(
    ("energy_kwh", "reserve_soc", "efficiency", "hours"),
    [(13.5, 0.0, 1.0, 9.0), (98, 0.0, 1.0, 65), (131, 0.0, 1.0, 87), (131, 0.2, 0.9, 63)],
)
def test_seed_figures(
    energy_kwh: float, reserve_soc: float, efficiency: float, hours: float
) -> None:
    found = what_if(energy_kwh, 1.5, reserve_soc, efficiency)
    assert found.hours == pytest.approx(hours, abs=0.5)
    assert found.gross_h == pytest.approx(energy_kwh / 1.5)


def test_a_week_with_selective_loads() -> None:
    """Fridge, network and some light: 0.5 kW with the gateway."""
    assert what_if(131, 0.4, 0.2, 0.9, standby_kw=0.1).hours == pytest.approx(189, abs=1)
    assert what_if(131, 0.4, 0.2, 0.9, standby_kw=0.1).hours > 7 * 24


def test_words_show_reserve_and_efficiency() -> None:
    assert what_if(13.5, 1.5).words == "13.5 kWh at 1.5 kW: 9.0 h"
    assert what_if(131, 1.5, 0.2, 0.9).words == (
        "131 kWh at 1.5 kW: 87.3 h gross; 62.9 h with 20% kept, 90% efficiency and 0 W standby (94.3 kWh usable)"
    )


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(
        ValueError, match=r"energy_kwh.*load_kw.*reserve_soc.*efficiency.*standby_kw"
    ):
        what_if(-1.0, 0.0, 1.0, 0.0, -1.0)
