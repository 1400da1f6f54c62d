"""Prints the table "extra loss a year, shallow and deep V2G, by cell" as Markdown.

    python -m benchmarks.wear_table

A car of 60 kWh drives 9 kWh a day and stands at 80 % from its return (charged at once), in a
climate of 12 °C with a yearly swing of ±10 °C and a daily one of ±4 °C. With V2G it also gives
energy back from 18:00 to 22:00 (shallow: 12 kWh a day, deep: 27 kWh) and charges from 23:00. Ten
years.
"""

from parkwatt.plan.wear import CELLS, LossSplit, split_loss
from tests.plan.wear.histories import car_history

YEARS = 10.0
SHALLOW, DEEP = 0.20, 0.45


def split(cell_id: str, grid_use: float) -> LossSplit:
    """The loss of one cell, ten years, by cause."""
    at_once = car_history(charge_from_h=18)
    with_grid = car_history(grid_use=grid_use)
    return split_loss(
        CELLS[cell_id],
        with_grid.time_s,
        with_grid.soc,
        with_grid.temperature_c,
        at_once.soc,
        YEARS,
    )


def rows() -> list[str]:
    """The lines of the table."""
    lines = [
        "| cell | chemistry | calendar | driving | shallow V2G | deep V2G | of deep: resting | cycling |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for cell in CELLS.values():
        shallow, deep = split(cell.id, SHALLOW), split(cell.id, DEEP)
        figures = (
            f"{deep.calendar_percent_per_year:.2f}",
            f"{deep.driving_percent_per_year:.2f}",
            f"{shallow.grid_use_percent_per_year:+.2f}",
            f"{deep.grid_use_percent_per_year:+.2f}",
            f"{deep.grid_use_calendar_percent_per_year:+.2f}",
            f"{deep.grid_use_cycling_percent_per_year:+.2f}",
        )
        lines.append(f"| {cell.name} | {cell.chemistry} | {' | '.join(figures)} |")
    return lines


if __name__ == "__main__":
    print("\n".join(rows()))
