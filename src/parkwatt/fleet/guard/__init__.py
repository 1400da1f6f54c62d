"""The pool must not be a weapon: what stands between a wish for the whole pool and its cars. Pure."""
