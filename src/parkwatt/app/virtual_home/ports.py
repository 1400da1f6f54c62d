"""Where a virtual home is found when nobody says otherwise."""

CONTROL_PORT = 8795
