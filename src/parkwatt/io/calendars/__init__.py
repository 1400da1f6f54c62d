"""Trips from iCalendar (RFC 5545): a file or an address, as every calendar offers it.

`recurrence` finds when a calendar's events take place, `trips` reads them as trips, `trip_calendar` watches where they come
from.
"""

from parkwatt.io.calendars.trip_calendar import TripCalendar, trip_calendar
from parkwatt.io.calendars.trips import read_trips

__all__ = ["TripCalendar", "read_trips", "trip_calendar"]
