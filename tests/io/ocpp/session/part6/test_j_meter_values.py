"""OCPP 2.0.1 Part 6, section 3.12: J, meter values. Each test has the name of its case."""

from __future__ import annotations

from typing import Any

import pytest

from parkwatt.domain.charger.event import MeterRead
from tests.io.ocpp.session.part6.octt import Octt

INTERVAL_S = 60.0
SIGNED = {
    "signedMeterData": "c2lnbmVk",
    "signingMethod": "ECDSA-secp256r1-SHA256",
    "encodingMethod": "OCMF",
    "publicKey": "",
}


def test_tc_j_01_csms_by_the_clock_without_a_transaction() -> None:
    octt = Octt()
    octt.booted()
    for number in range(3):
        octt.pass_s(INTERVAL_S)
        for evse_id in (0, 1, 2):
            element = octt.meter(1000.0 + number, "Sample.Clock")
            assert octt.tell("MeterValues", {"evseId": evse_id, "meterValue": [element]}) == {}
    assert len(octt.heard(MeterRead)) == 9
    reading = octt.state.evses[2].reading
    assert reading is not None
    assert reading.energy_import_kwh == pytest.approx(1.002)


def test_tc_j_02_csms_by_the_clock_in_a_transaction() -> None:
    octt = Octt()
    octt.ev_connected_pre_session()
    octt.energy_transfer_started()
    for number in range(3):
        octt.pass_s(INTERVAL_S)
        for evse_id in (0, 2):
            element = octt.meter(5000.0, "Sample.Clock")
            assert octt.tell("MeterValues", {"evseId": evse_id, "meterValue": [element]}) == {}
        running = octt.meter(1000.0 * number, "Sample.Clock")
        assert octt.updated("MeterValueClock", meter_value=[running]) == {}
        assert octt.last.periodic
    assert octt.known.imported_kwh == pytest.approx(2.0)


@pytest.mark.parametrize("context", ["Sample.Clock", "Sample.Periodic"])
@pytest.mark.parametrize("signed", [False, True])
def test_tc_j_03_04_10_11_csms_at_the_end(context: str, signed: bool) -> None:
    octt = Octt()
    octt.energy_transfer_started()
    octt.ev_connected_post_session()
    more: dict[str, Any] = {"signedMeterValue": SIGNED} if signed else {}
    elements = []
    for number in range(4):
        octt.pass_s(INTERVAL_S)
        why = "Transaction.End" if number == 3 else context
        elements.append(octt.meter(500.0 * number, why, **more))
    octt.ev_disconnected(meter_value=elements)
    assert [reading.moment for reading in octt.last.readings][-1] == "end"
    assert octt.known.imported_kwh == pytest.approx(1.5)
    if signed:
        assert all(reading.signed[0].data == "c2lnbmVk" for reading in octt.last.readings)


def test_tc_j_07_csms_at_the_start_where_the_place_is_known() -> None:
    octt = Octt()
    octt.ev_connected_pre_session(meter_value=[octt.meter(7000.0, "Transaction.Begin")])
    assert octt.last.phase == "started"
    assert octt.known.start_register_kwh == pytest.approx(7.0)


def test_tc_j_08_csms_at_the_start_where_the_place_is_not_known_yet() -> None:
    octt = Octt()
    octt.authorized_locally()
    octt.ev_connected_pre_session(meter_value=[octt.meter(7000.0, "Transaction.Begin")])
    octt.energy_transfer_started()
    assert octt.known.start_register_kwh == pytest.approx(7.0)
    assert octt.known.evse_id == 1


def test_tc_j_09_csms_at_intervals() -> None:
    octt = Octt()
    octt.energy_transfer_started()
    for number in range(3):
        octt.pass_s(INTERVAL_S)
        element = octt.meter(100.0 * number, "Sample.Periodic", power_w=6000.0)
        assert octt.updated("MeterValuePeriodic", meter_value=[element]) == {}
    reading = octt.state.evses[1].reading
    assert reading is not None
    assert reading.power_kw == pytest.approx(6.0)
    assert octt.known.imported_kwh == pytest.approx(0.2)
