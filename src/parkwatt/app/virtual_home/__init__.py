"""`parkwatt virtual-home` and `parkwatt outage`: a home with backup whose grid fails on demand."""
