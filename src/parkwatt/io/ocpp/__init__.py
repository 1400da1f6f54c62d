"""The OCPP back end: 1.6-J, 2.0.1 and 2.1.

`frame` and `messages` are the wire, `session` the conversation with one charger without I/O, `ladder` what drives its
set-points, `server` the sockets. What crosses to the rest of Parkwatt is `parkwatt.domain.charger` alone.
"""
