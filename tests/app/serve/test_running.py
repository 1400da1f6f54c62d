"""A server starts, says where it listens, outlives a kill on the same ports, and ends with 0 when asked."""

from collections.abc import Callable

import pytest

from tests.app.serve.running import RunningServer

SITE = """\
[ocpp]
listen = "127.0.0.1:0"
[api]
listen = "127.0.0.1:0"
"""


def test_a_server_comes_back_on_its_ports_and_stops_when_asked(
    running_server: Callable[[str], RunningServer],
) -> None:
    server = running_server(SITE)
    assert server.api.get("/health")["status"] == "ok"
    first = (server.ocpp_url, server.process_id)
    server.kill()
    server.restart()
    assert server.api.get("/health")["chargers_connected"] == 0
    assert server.ocpp_url == first[0]
    assert server.process_id != first[1]
    assert server.stop() == 0


def test_a_fault_in_the_sites_file_is_told_and_nothing_listens(
    running_server: Callable[[str], RunningServer],
) -> None:
    with pytest.raises(AssertionError, match=r"ocpp\.listen"):
        running_server('[ocpp]\nlisten = "nowhere"\n')
