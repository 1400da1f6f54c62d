"""The journal on the command line: `parkwatt journal` and `parkwatt export`."""
