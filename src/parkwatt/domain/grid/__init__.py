"""What whoever runs the grid asks and tells: events with values over time, and what of them holds at a moment."""
