"""OCPP 2.0.1 Part 6, section 3.4: C, authorisation. Each test has the name of its case.

Cases that need groups of tokens, as a master pass does (C_39, C_47, C_48, C_49), do not apply: a site has one list.
"""

from __future__ import annotations

import pytest

from tests.io.ocpp.session.part6.octt import INVALID, VALID, Octt

MASTER_CARD = "MASTER-1"


@pytest.mark.parametrize("case", ["unknown", "blocked", "expired"])
def test_tc_c_02_06_07_csms_a_token_that_may_not_charge(case: str) -> None:
    # What is blocked or has expired is not on the list. Invalid is the one word that all three cases allow.
    assert Octt().authorize(f"{INVALID}-{case}")["idTokenInfo"]["status"] == "Invalid"


def test_tc_c_08_csms_accepted_from_the_cache() -> None:
    octt = Octt()
    octt.ev_connected_pre_session()
    assert octt.updated("Authorized", card=VALID)["idTokenInfo"]["status"] == "Accepted"
    assert octt.known.token == VALID


def test_tc_c_20_csms_invalid_from_the_cache() -> None:
    octt = Octt()
    octt.ev_connected_pre_session()
    reply = octt.updated("Authorized", card=INVALID)
    assert reply["idTokenInfo"]["status"] == "Invalid"


@pytest.mark.parametrize("status", ["Accepted", "Rejected"])
def test_tc_c_37_38_csms_clear_the_cache(status: str) -> None:
    octt = Octt()
    octt.booted()
    assert octt.ask("ClearCache", {}) == {}
    assert octt.respond({"status": status}).accepted == (status == "Accepted")


@pytest.mark.parametrize("last_card", [MASTER_CARD, VALID])
def test_a_station_that_knows_a_master_pass_ends_all_transactions(last_card: str) -> None:
    octt = Octt()
    octt.booted()
    for evse_id in (1, 2):
        told = octt.transaction(
            "Started",
            "Authorized",
            0,
            transaction_id=f"tx-{evse_id}",
            evse={"id": evse_id, "connectorId": 1},
            card=VALID,
        )
        assert told["idTokenInfo"]["status"] == "Accepted"
    for evse_id in (1, 2):
        octt.transaction(
            "Ended",
            "StopAuthorized",
            1,
            transaction_id=f"tx-{evse_id}",
            card=last_card,
            stopped="MasterPass",
        )
    assert [octt.state.transactions[f"tx-{n}"].end_reason for n in (1, 2)] == ["MasterPass"] * 2
