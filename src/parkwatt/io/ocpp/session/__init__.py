"""The conversation with one charger, without I/O: frames in, events and frames out."""
