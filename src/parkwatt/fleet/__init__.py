"""A pool of many sites, pure and in arrays: who gives what it is asked for. Needs the extra ``fleet``."""
