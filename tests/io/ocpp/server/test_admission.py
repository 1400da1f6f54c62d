"""Who may connect: every combination of record and proof."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.credentials.store import Credential
from parkwatt.io.ocpp.server.admission import Admitted, Proof, Refused, admit, too_fast
from parkwatt.io.ocpp.server.identity import (
    BasicLogin,
    basic_login,
    charger_id_of,
    is_identity,
    is_loopback,
    names_in_certificate,
)
from tests.io.ocpp.server.charging_station import basic

ID = "CS001"
LOGINS = (None, BasicLogin(b"CS001", b"x"), BasicLogin(b"CS002", b"x"))
NAMES = (None, frozenset({"CS001"}), frozenset({"CS002"}), frozenset[str]())


def proofs() -> list[Proof]:
    flags = (False, True)
    return [Proof(*parts) for parts in itertools.product(flags, flags, NAMES, LOGINS, flags)]


def test_nobody_reaches_more_than_was_proved_or_less_than_the_record_asks() -> None:
    for proof, profile, unknown in itertools.product(proofs(), (1, 2, 3), (False, True)):
        decision = admit(ID, Credential(ID, profile, "h", 0), proof, admit_unknown=unknown)
        has_password = (
            proof.login is not None and proof.login.user == b"CS001" and proof.password_matches
        )
        if proof.certificate_names is not None:
            expected = 3 if ID in proof.certificate_names else None
        else:
            reached = (2 if proof.is_encrypted else 1) if has_password else 0
            expected = reached if reached >= profile else None
        assert (decision.security_profile if isinstance(decision, Admitted) else None) == expected


def test_a_stranger_comes_in_on_this_machine_only_if_told_and_a_disabled_one_never() -> None:
    for proof, unknown in itertools.product(proofs(), (False, True)):
        stranger = admit(ID, None, proof, admit_unknown=unknown)
        shows_nothing = proof.login is None and proof.certificate_names is None
        assert isinstance(stranger, Admitted) == (unknown and proof.is_loopback and shows_nothing)
        disabled = admit(ID, Credential(ID, 1, "h", 0, disabled=True), proof, admit_unknown=unknown)
        assert isinstance(disabled, Refused)
        assert disabled.status == 401


@given(wait_s=st.floats(1e-6, 1e6))
def test_who_comes_too_fast_is_told_at_least_the_wait(wait_s: float) -> None:
    retry_after_s = too_fast(429, wait_s, "").retry_after_s
    assert retry_after_s is not None
    assert wait_s <= retry_after_s <= wait_s + 1


@given(target=st.text(max_size=80))
def test_any_target_yields_an_identity_or_none(target: str) -> None:
    found = charger_id_of(target)
    assert found is None or is_identity(found)


@given(user=st.text(alphabet=st.characters(exclude_characters=":")), password=st.text())
def test_a_login_is_read_back(user: str, password: str) -> None:
    assert basic_login(basic(user, password)) == BasicLogin(user.encode(), password.encode())


@given(header=st.text(max_size=60))
def test_any_header_is_a_login_or_none(header: str) -> None:
    for text in (header, "Basic " + header):
        assert isinstance(basic_login(text), BasicLogin | None)


def test_names_of_a_certificate() -> None:
    assert names_in_certificate(None) is None
    assert names_in_certificate({}) is None
    certificate = {
        "subject": ((("organizationName", "ACME"),), (("commonName", "CS001"),)),
        "subjectAltName": (("DNS", "cs.example"), ("URI", "urn:cs"), ("IP Address", "10.0.0.1")),
    }
    assert names_in_certificate(certificate) == frozenset({"CS001", "cs.example", "urn:cs"})


def test_which_hosts_stay_on_this_machine() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1")))
    elsewhere = ("", "::", "10.0.0.1", "::ffff:10.0.0.1", "example.org")
    assert not any(map(is_loopback, elsewhere))
