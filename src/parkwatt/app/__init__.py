"""Settings, wiring, command line and reports: where everything meets."""
