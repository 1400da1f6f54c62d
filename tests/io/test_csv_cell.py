"""What a charger or a person names cannot run in a table calculator; what is a number stays one."""

from __future__ import annotations

import csv
import io

from parkwatt.io.csv_cell import csv_cell
from parkwatt.io.store.journal_tables import Column
from parkwatt.io.store.table_file import write_csv


def test_a_text_that_begins_like_a_formula_is_told_as_text() -> None:
    for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"):
        assert csv_cell(text) == f"'{text}"
    for value in ("ID.4", "a=1", "", None, -1, -1.5, True):
        assert csv_cell(value) is value


def test_a_table_of_the_journal_runs_nothing() -> None:
    columns = [Column("charger_id", "text"), Column("power_kw", "real")]
    stream = io.StringIO()
    write_csv(stream, columns, [('=HYPERLINK("http://x")', -3.5), (None, None)])
    rows = list(csv.reader(io.StringIO(stream.getvalue())))
    assert rows == [["charger_id", "power_kw"], ['\'=HYPERLINK("http://x")', "-3.5"], ["", ""]]
