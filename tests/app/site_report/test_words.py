"""The sentence that a driver reads first, and what is less sure."""

from __future__ import annotations

from parkwatt.app.site_report import words
from parkwatt.app.site_report.views import (
    EnergyView,
    LimitView,
    MoneyView,
    OperationView,
    PromisesView,
    QualityView,
    TotalView,
)


def total(
    *,
    saving_gross: float = 13.5,
    wear: float = 1.1,
    charged_kwh: float = 60.0,
    difference_kwh: float = 0.0,
    **promises: int,
) -> TotalView:
    """A week."""
    counts = dict.fromkeys(
        ("kept", "broken", "not_possible", "left_early", "not_known", "nothing_asked"), 0
    ) | {name: count for name, count in promises.items() if name != "floors_broken"}
    return TotalView(
        car_id=None,
        stays=7,
        energy=EnergyView(
            charged_kwh=charged_kwh,
            discharged_kwh=0.0,
            from_sun_kwh=0.0,
            to_home_kwh=0.0,
            to_grid_kwh=0.0,
            battery_in_kwh=0.9 * charged_kwh,
            battery_out_kwh=0.0,
            driven_kwh=50.0,
            full_cycles=0.8,
        ),
        money=MoneyView(
            charged=10.0,
            discharged=0.0,
            cost=10.0,
            at_once=23.5,
            stored=0.0,
            saving_gross=saving_gross,
            wear=wear,
            saving_net=saving_gross - wear,
            smart=12.0,
            smart_stored=0.0,
            smart_saving_gross=2.0,
            smart_wear=0.0,
            smart_saving_net=2.0,
        ),
        promises=PromisesView(
            asked=sum(counts.values()) - counts["nothing_asked"],
            floors_broken=promises.get("floors_broken", 0),
            **counts,
        ),
        quality=QualityView(
            estimated_kwh=0.0, unmetered_kwh=0.0, unpriced_kwh=0.0, difference_kwh=difference_kwh
        ),
    )


def said(week: TotalView, days: float = 7.0, cars: int = 1) -> str:
    """The sentence with plain spaces."""
    return words.headline(week, days, "EUR", cars).replace("\xa0", " ")


def test_savings_wear_and_departures_stand_in_one_sentence() -> None:
    assert said(total(kept=7)) == (
        "In 7 days the car saved 12.40 € against charging at once: 13.50 € less 1.10 € of battery wear; "
        "7 of 7 departures were kept."
    )


def test_what_was_not_kept_is_told() -> None:
    assert said(total(kept=5, broken=1, not_possible=1)).endswith(
        "5 of 7 departures were kept (1 broken, 1 not possible)."
    )
    assert said(total(kept=1)).endswith("; 1 of 1 departure was kept.")


def test_a_loss_is_called_one() -> None:
    assert said(total(saving_gross=0.5), 1.0, 2) == (
        "In 1 day the cars lost 0.60 € against charging at once: 0.50 € less 1.10 € of battery wear."
    )


def test_without_wear_there_is_one_figure_and_wear_that_is_saved_is_told() -> None:
    assert said(total(wear=0.0)) == "In 7 days the car saved 13.50 € against charging at once."
    assert "13.50 € and 0.40 € of battery wear saved" in said(total(wear=-0.4))


def test_a_car_that_did_nothing_saved_nothing() -> None:
    assert (
        said(total(charged_kwh=0.0), 0.25) == "In 6 hours the car neither charged nor discharged."
    )


def test_doubts_are_told_and_silence_means_there_are_none() -> None:
    assert words.notes(total(), {"car": 0}, 0) == []
    found = words.notes(total(difference_kwh=-3.0, floors_broken=2), {"car": 1}, 4)
    assert [note.split(" ")[0] for note in found] == ["The", "A", "In", "4"]
    assert "3.0 kWh less" in found[0]


def run(import_limit: LimitView) -> OperationView:
    """A week's operation."""
    none = LimitView(limit_kw=None, over_s=0, over_s_longest=0, excess_kw=0, excess_kw_single=0)
    return OperationView(
        metered_h=168.0,
        import_limit=import_limit,
        export_limit=none,
        setpoints=1200,
        setpoints_following=1000,
        setpoints_changed={"ramp": 3, "limit": 10},
        switchings=14,
        switchings_a_day_max=4,
        leases_lapsed=0,
        plans=700,
        program_starts=1,
    )


def test_limits_setpoints_and_the_guard_are_told() -> None:
    kept = LimitView(limit_kw=11, over_s=0, over_s_longest=0, excess_kw=0, excess_kw_single=0.4)
    lines = words.operation_lines(run(kept))
    assert lines[0].startswith("The limit of 11 kW on import was kept; single readings")
    assert "the guard changed 13 (limit 10, ramp 3)" in lines[1]
    over = LimitView(
        limit_kw=11, over_s=180, over_s_longest=120, excess_kw=0.8, excess_kw_single=1.0
    )
    assert (
        "exceeded for 180 s in all, 120 s at a stretch, by 0.80 kW"
        in words.operation_lines(run(over))[0]
    )
