"""A study's result for people and for programs: the terminal's table, the HTML page, JSON and CSV."""

from parkwatt.app.report.page import write_report
from parkwatt.app.report.steps import write_csv
from parkwatt.app.report.summary import write_json
from parkwatt.app.report.terminal import print_table

__all__ = ["print_table", "write_csv", "write_json", "write_report"]
