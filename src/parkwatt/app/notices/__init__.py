"""Notifications: what is seen of a running site, the words of a notice, and the duty that delivers it."""
