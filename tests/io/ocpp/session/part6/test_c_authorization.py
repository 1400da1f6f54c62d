"""OCPP 2.0.1 Part 6, section 3.4: C, authorisation. Each test has the name of its case.

Cases that need groups of tokens or a master pass (C_39, C_47, C_48, C_49) do not apply: a site has one list.
"""

from __future__ import annotations

import pytest

from tests.io.ocpp.session.part6.octt import INVALID, VALID, Octt


@pytest.mark.parametrize("case", ["tc_c_02", "tc_c_06_blocked", "tc_c_07_expired"])
def test_tc_c_02_06_07_csms_a_token_that_may_not_charge(case: str) -> None:
    # What is blocked or has expired is not on the list; the cases allow Invalid, and Unknown where nothing is known of it.
    status = Octt().authorize(f"{INVALID}-{case}")["idTokenInfo"]["status"]
    assert status in {"Invalid", "Unknown"}


def test_tc_c_08_csms_accepted_from_the_cache() -> None:
    octt = Octt()
    octt.ev_connected_pre_session()
    assert octt.updated("Authorized", card=VALID)["idTokenInfo"]["status"] == "Accepted"
    assert octt.known.token == VALID


def test_tc_c_20_csms_invalid_from_the_cache() -> None:
    octt = Octt()
    octt.ev_connected_pre_session()
    reply = octt.updated("Authorized", card=INVALID)
    assert reply["idTokenInfo"]["status"] in {"Invalid", "Unknown"}


@pytest.mark.parametrize("status", ["Accepted", "Rejected"])
def test_tc_c_37_38_csms_clear_the_cache(status: str) -> None:
    octt = Octt()
    octt.booted()
    assert octt.ask("ClearCache", {}) == {}
    assert octt.respond({"status": status}).accepted == (status == "Accepted")
