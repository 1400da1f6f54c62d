"""Warnings of storms and planned outages in the Common Alerting Protocol, from the feed of a weather service or a utility."""

from parkwatt.io.alerts.feed import AlertFeed, alert_feed
from parkwatt.io.alerts.settings import AlertSettings, read_alerts

__all__ = ["AlertFeed", "AlertSettings", "alert_feed", "read_alerts"]
