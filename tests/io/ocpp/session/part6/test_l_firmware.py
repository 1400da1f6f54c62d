"""OCPP 2.0.1 Part 6, section 3.13: L, firmware. Each test has the name of its case."""

from __future__ import annotations

from typing import Any

import pytest

from parkwatt.domain.charger.event import Booted
from tests.io.ocpp.session.part6.octt import OTHER_PLACES, Octt

LATER_S = 3600.0
DOWNLOAD = ("Downloading", "Downloaded")
VERIFIED = (*DOWNLOAD, "SignatureVerified")


def ask_update(octt: Octt, request_id: int, status: str = "Accepted", **when: str) -> str:
    """UpdateFirmware and its answer, whose status is returned."""
    firmware = {
        "location": "https://firmware.example.org/box-2.bin",
        "retrieveDateTime": octt.clock(),
        "signingCertificate": "-----BEGIN CERTIFICATE-----",
        "signature": "c2lnbmVk",
        **when,
    }
    payload = {"requestId": request_id, "firmware": firmware}
    assert octt.ask("UpdateFirmware", payload) == payload
    return octt.respond({"status": status}).status


def tell(octt: Octt, request_id: int, *statuses: str) -> None:
    """FirmwareStatusNotification of each status, a second apart."""
    for status in statuses:
        octt.pass_s(1)
        told = {"status": status, "requestId": request_id}
        assert octt.tell("FirmwareStatusNotification", told) == {}
        assert octt.kept("FirmwareStatusNotification")[-1] == told


def install(octt: Octt, request_id: int, ends: str = "Installed") -> None:
    """From the installation to the first word after the boot."""
    tell(octt, request_id, "Installing", "InstallRebooting")
    octt.connect()
    octt.booted("FirmwareUpdate")
    tell(octt, request_id, ends)
    assert octt.heard(Booted)[-1].reason == "FirmwareUpdate"


def test_tc_l_01_csms_installed() -> None:
    octt = Octt()
    octt.booted()
    assert ask_update(octt, 1) == "Accepted"
    tell(octt, 1, *VERIFIED)
    install(octt, 1)


def test_tc_l_02_csms_installed_later() -> None:
    octt = Octt()
    octt.booted()
    ask_update(octt, 1, installDateTime=octt.clock(LATER_S))
    tell(octt, 1, *VERIFIED, "InstallScheduled")
    octt.pass_s(LATER_S)
    install(octt, 1)


def test_tc_l_03_csms_downloaded_later() -> None:
    octt = Octt()
    octt.booted()
    ask_update(octt, 1, retrieveDateTime=octt.clock(LATER_S))
    tell(octt, 1, "DownloadScheduled")
    octt.pass_s(LATER_S)
    tell(octt, 1, *VERIFIED)
    install(octt, 1)


@pytest.mark.parametrize("status", ["RevokedCertificate", "InvalidCertificate"])
def test_tc_l_04_05_csms_certificate_refused(status: str) -> None:
    octt = Octt()
    octt.booted()
    assert ask_update(octt, 1, status) == status
    assert not octt.answers[-1].accepted


@pytest.mark.parametrize(
    "statuses",
    [
        (*DOWNLOAD, "InvalidSignature"),
        ("Downloading", "DownloadFailed"),
        (*VERIFIED, "Installing", "InstallVerificationFailed"),
    ],
    ids=["l_06", "l_07", "l_08"],
)
def test_tc_l_06_07_08_csms_failed_before_the_boot(statuses: tuple[str, ...]) -> None:
    octt = Octt()
    octt.booted()
    ask_update(octt, 1)
    tell(octt, 1, *statuses)
    assert len(octt.heard(Booted)) == 1


def test_tc_l_09_csms_failed_after_the_boot() -> None:
    octt = Octt()
    octt.booted()
    ask_update(octt, 1)
    tell(octt, 1, *VERIFIED)
    install(octt, 1, ends="InstallationFailed")


@pytest.mark.parametrize(
    ("status", "goes_on"), [("AcceptedCanceled", 2), ("Rejected", 1)], ids=["l_10", "l_11"]
)
def test_tc_l_10_11_csms_a_second_one_meanwhile(status: str, goes_on: int) -> None:
    octt = Octt()
    octt.booted()
    ask_update(octt, 1)
    tell(octt, 1, "Downloading")
    assert ask_update(octt, 2, status) == status
    tell(octt, goes_on, *VERIFIED[goes_on == 1 :])
    install(octt, goes_on)


def test_tc_l_13_csms_once_the_transaction_ended() -> None:
    octt = Octt()
    octt.booted()
    octt.energy_transfer_started()
    ask_update(octt, 1)
    tell(octt, 1, "DownloadScheduled")
    for evse_id, connector_id in OTHER_PLACES:
        octt.status("Unavailable", evse_id=evse_id, connector_id=connector_id)
    assert availabilities(octt) == {1: "occupied", 2: "unavailable"}
    octt.stopped_by_driver()
    octt.ev_connected_post_session()
    octt.ev_disconnected()
    tell(octt, 1, *VERIFIED)
    install(octt, 1)
    assert availabilities(octt) == {1: "available", 2: "available"}


def availabilities(octt: Octt) -> dict[int, Any]:
    """What the back end knows of each place."""
    return {evse_id: octt.state.evses[evse_id].availability for evse_id in (1, 2)}
