"""Programmes that pay pools: files that come with Parkwatt, one each, and files of the user's own."""
