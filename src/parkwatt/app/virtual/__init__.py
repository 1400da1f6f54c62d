"""`parkwatt virtual`: virtual chargers and cars on the command line."""
