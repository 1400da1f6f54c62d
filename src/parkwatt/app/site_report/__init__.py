"""What a site's car saved, cost and wore: the accounts as a table, CSV, JSON, one HTML page, and through the API."""

from parkwatt.app.site_report.journal_accounts import JournalAccounts
from parkwatt.app.site_report.settings import account_settings
from parkwatt.app.site_report.view import account_view
from parkwatt.app.site_report.views import AccountView, ByName

__all__ = ["AccountView", "ByName", "JournalAccounts", "account_settings", "account_view"]
