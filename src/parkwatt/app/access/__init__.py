"""Who may do what at a site: its users, their sessions, API tokens and sign-in links, kept in one private file.

The API asks here for whoever calls (`Access.caller`); nothing else decides on a role or a scope.
"""
