"""`parkwatt study`: settings and files in, a study run in processes, a report out."""
