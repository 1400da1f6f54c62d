"""Signed values: keys made here, and one record of a real meter that is published with its key."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.io.ocpp.messages import decode_request
from parkwatt.io.ocpp.meter_values import MeterValues, read_meter_values
from parkwatt.io.ocpp.signed import SignedRegister, read_signed
from parkwatt.io.ocpp.version import Version

_NOW = 1_785_850_545_377_000
_CURVES: list[tuple[str, ec.EllipticCurve]] = [
    ("ECDSA-secp256r1-SHA256", ec.SECP256R1()),
    ("ECDSA-secp384r1-SHA256", ec.SECP384R1()),
    ("ECDSA-secp256k1-SHA256", ec.SECP256K1()),
    ("ECDSA-brainpool256r1-SHA256", ec.BrainpoolP256R1()),
    ("ECDSA-brainpool384r1-SHA256", ec.BrainpoolP384R1()),
]
_KEY = ec.generate_private_key(ec.SECP256R1())
_OTHER = ec.generate_private_key(ec.SECP256R1())

# The record of a KEBA KCP30 that the transparency software of SAFE e. V. is published with, and its key.
_KEBA_KEY = (
    "3059301306072A8648CE3D020106082A8648CE3D030107034200043AEEB45C392357820A58FDFB0857BD77ADA31585C61C430531DFA53B44"
    "0AFBFDD95AC887C658EA55260F808F55CA948DF235C2108A0D6DC7D4AB1A5E1A7955BE"
)
_KEBA = (
    'OCMF|{"FV":"1.0","GI":"KEBA_KCP30","GS":"17619300","GV":"2.8.5","PG":"T32","IS":false,"IL":"NONE","IF":["RFID_NONE",'
    '"OCPP_NONE","ISO15118_NONE","PLMN_NONE"],"IT":"NONE","ID":"","RD":[{"TM":"2019-08-13T10:03:15,000+0000 I","TX":"B",'
    '"EF":"","ST":"G","RV":0.2596,"RI":"1-b:1.8.0","RU":"kWh"},{"TM":"2019-08-13T10:03:36,000+0000 R","TX":"E","EF":"",'
    '"ST":"G","RV":0.2597,"RI":"1-b:1.8.0","RU":"kWh"}]}|{"SD":"304502200E2F107C987A300AC1695CA89EA149A8CDFA16188AF0A33E'
    'E64B67964AA943F9022100889A72B6D65364BEA8562E7F6A0253157ACFF84FE4929A93B5964D23C4265699"}'
)


def key_der(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def key_hex(key: ec.EllipticCurvePrivateKey) -> str:
    return key_der(key).hex()


def row(kwh: float, why: str = "B", obis: str = "1-0:1.8.0", **more: Any) -> dict[str, Any]:
    time = "2026-08-04T15:30:45,000+0200 S"
    return {"TM": time, "TX": why, "RV": kwh, "RI": obis, "RU": "kWh", "ST": "G", **more}


def record(
    *rows: dict[str, Any],
    key: ec.EllipticCurvePrivateKey = _KEY,
    algorithm: str = "ECDSA-secp256r1-SHA256",
    encoding: str = "hex",
) -> str:
    """A record in OCMF, signed."""
    payload = json.dumps({"FV": "1.0", "PG": "T1", "MS": "1", "RD": list(rows)})
    signature = key.sign(payload.encode(), ec.ECDSA(hashes.SHA256()))
    text = signature.hex() if encoding == "hex" else base64.b64encode(signature).decode()
    return f"OCMF|{payload}|{json.dumps({'SA': algorithm, 'SE': encoding, 'SD': text})}"


def test_a_published_record_is_valid_by_its_key_and_not_when_altered() -> None:
    value, registers = read_signed(_KEBA, public_keys=[_KEBA_KEY])
    assert value.verdict == "valid"
    assert [(found.moment, found.energy_kwh) for found in registers] == [
        ("begin", 0.2596),
        ("end", 0.2597),
    ]
    altered = _KEBA.replace("0.2597", "9.2597")
    assert read_signed(altered, public_keys=[_KEBA_KEY])[0].verdict == "invalid"


@pytest.mark.parametrize(("algorithm", "curve"), _CURVES)
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_every_curve_of_the_standard_that_is_safe(
    algorithm: str, curve: ec.EllipticCurve, encoding: str
) -> None:
    key = ec.generate_private_key(curve)
    data = record(row(5.0), key=key, algorithm=algorithm, encoding=encoding)
    assert read_signed(data, public_keys=[key_hex(key)])[0].verdict == "valid"
    assert read_signed(data, public_keys=[key_hex(_OTHER)])[0].verdict == "invalid"


@given(st.integers(5, 10_000), st.characters(codec="ascii"))
@settings(max_examples=60, deadline=None)
def test_no_altered_byte_of_the_payload_is_valid(place: int, other: str) -> None:
    data = record(row(5.0), row(7.0, "E"))
    end = data.rindex("|")
    place = 5 + place % (end - 5)
    altered = data[:place] + other + data[place + 1 :]
    verdict = read_signed(altered, public_keys=[key_hex(_KEY)])[0].verdict
    assert (verdict == "valid") == (altered == data)


@pytest.mark.parametrize(
    "written",
    [
        key_hex(_KEY),
        key_hex(_KEY).upper(),
        base64.b64encode(key_der(_KEY)).decode(),
        base64.b64encode(key_hex(_KEY).encode()).decode(),
        base64.b64encode(b"oca:base16:asn1:" + key_hex(_KEY).encode()).decode(),
        "oca:base16:asn1:" + key_hex(_KEY),
        key_der(_KEY)[-65:].hex(),
        key_der(_KEY)[-64:].hex(),
        _KEY.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    ],
)
def test_every_way_to_write_a_key(written: str) -> None:
    data = record(row(5.0))
    assert read_signed(data, public_keys=[key_hex(_OTHER), written])[0].verdict == "valid"
    assert read_signed(data, own_key=written)[0].verdict == "valid"


def test_a_configured_key_decides() -> None:
    data = record(row(5.0), key=_OTHER)
    assert read_signed(data)[0].verdict == "no_key"
    assert read_signed(data, own_key=key_hex(_OTHER))[0].verdict == "valid"
    assert (
        read_signed(data, own_key=key_hex(_OTHER), public_keys=[key_hex(_KEY)])[0].verdict
        == "invalid"
    )
    told_wrong = read_signed(record(row(5.0)), own_key=key_hex(_OTHER), public_keys=[key_hex(_KEY)])
    assert told_wrong[0].verdict == "invalid"
    agreeing = read_signed(data, own_key=key_der(_OTHER)[-65:].hex(), public_keys=[key_hex(_OTHER)])
    assert agreeing[0].verdict == "valid"


def test_a_signature_of_two_bare_numbers() -> None:
    payload = json.dumps({"RD": [row(5.0)]})
    pair = decode_dss_signature(_KEY.sign(payload.encode(), ec.ECDSA(hashes.SHA256())))
    text = b"".join(number.to_bytes(32, "big") for number in pair).hex()
    data = f'OCMF|{payload}|{{"SD":"{text}"}}'
    assert read_signed(data, public_keys=[key_hex(_KEY)])[0].verdict == "valid"


@pytest.mark.parametrize("wrapped", [lambda raw: base64.b64encode(raw).decode(), bytes.hex])
def test_a_wrapped_record_is_kept_as_it_came(wrapped: Any) -> None:
    data = wrapped(record(row(5.0)).encode())
    value, registers = read_signed(data, "OCMF", public_keys=[key_hex(_KEY)])
    assert (value.verdict, value.data, value.encoding) == ("valid", data, "OCMF")
    assert registers == (SignedRegister("energy_import_kwh", 5.0, "begin", _NOW - 300_377_000),)


@pytest.mark.parametrize(
    ("data", "encoding", "name"),
    [
        ("AP;0;3;ALCV3ABBBISHMA2RYEGAZE3HV5YQBQRAEHAJSDDDTIPWTY;", "", "ALFEN"),
        ('<?xml version="1.0"?><signedMeterValue/>', "", "EDL"),
        (base64.b64encode(b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01v").decode(), "", "SML"),
        ("AAAA", "EDL", "EDL"),
        ("", "", ""),
        ("OCMF|{|}", "", ""),
        ("OCMF|{}|{}|{}", "OCMF", "OCMF"),
        ('OCMF|{"RD":[]}|{"SA":"ECDSA-secp192r1-SHA256","SD":"00"}', "", "OCMF"),
        ('OCMF|{"RD":[]}|{"SA":"RSA","SD":"00"}', "", "OCMF"),
    ],
)
def test_what_is_not_checked_here_says_so(data: str, encoding: str, name: str) -> None:
    value, registers = read_signed(data, encoding, key_hex(_KEY), [key_hex(_KEY)])
    assert (value.verdict, value.data, value.encoding) == ("unreadable", data, name)
    assert registers == ()


@given(st.text(), st.text(), st.text(), st.lists(st.text(), max_size=2))
def test_nothing_raises(data: str, encoding: str, own_key: str, keys: list[str]) -> None:
    for text in (data, "OCMF|" + data, f'OCMF|{{"RD":[]}}|{{"SD":{json.dumps(data)}}}'):
        assert read_signed(text, encoding, own_key, keys)[0].verdict != "valid"


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["TM", "TX", "RV", "RI", "RU", "ST", "EF"]),
            st.text() | st.floats() | st.none(),
        )
    )
)
def test_no_reading_in_a_record_raises(rows: list[dict[str, Any]]) -> None:
    assert read_signed(record(*rows), public_keys=[key_hex(_KEY)])[0].verdict in {
        "valid",
        "unreadable",
    }


def test_registers_are_the_good_ones_of_active_energy() -> None:
    data = record(
        row(5.0),
        {"TX": "C", "RV": 6.0},
        row(9.0, obis="1-0:2.8.0"),
        row(1.0, obis="1-0:1.7.0"),
        row(7.0, ST="T"),
        row(7.5, EF="E"),
        row(8.0, "E", EF="", TM="2026-08-04T15:30:45,000+0200 U"),
        row(900.0, "E", obis="01-00:B2.08.00*FF"),
    )
    _, registers = read_signed(data)
    time = _NOW - 300_377_000
    assert registers == (
        SignedRegister("energy_import_kwh", 5.0, "begin", time),
        SignedRegister("energy_import_kwh", 6.0, "interval", time),
        SignedRegister("energy_export_kwh", 9.0, "begin", time),
        SignedRegister("energy_import_kwh", 8.0, "end", None),
    )


def meter_values_16(*samples: dict[str, Any]) -> MeterValues:
    message = {
        "connectorId": 1,
        "meterValue": [{"timestamp": "2026-08-04T13:35:45.377Z", "sampledValue": samples}],
    }
    decoded = decode_request(Version.V16, "MeterValues", msgspec.Raw(json.dumps(message).encode()))
    return read_meter_values(
        Version.V16, decoded.message.meterValue, _NOW, public_keys=[key_hex(_KEY)]
    )


def test_a_signed_register_of_1_6_stands_in_for_a_plain_one() -> None:
    signed = {
        "value": record(row(5.0), row(7.0, "E")),
        "format": "SignedData",
        "context": "Transaction.End",
    }
    first, last = meter_values_16(signed).readings
    assert (first.moment, first.energy_import_kwh, first.measured_unix_us) == (
        "begin",
        5.0,
        _NOW - 300_377_000,
    )
    assert (last.moment, last.energy_import_kwh, last.measured_unix_us) == ("end", 7.0, _NOW)
    assert [value.verdict for value in last.signed] == ["valid"]
    (plain,) = meter_values_16(signed, {"value": "7100"}).readings
    assert plain.energy_import_kwh == 7.1


def test_a_register_with_a_false_signature_is_not_used_and_kept() -> None:
    signed = {"value": record(row(5.0), key=_OTHER), "format": "SignedData"}
    (found,) = meter_values_16(signed).readings
    assert found.energy_import_kwh is None
    assert [value.verdict for value in found.signed] == ["invalid"]


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_a_signed_value_of_2_x_stands_beside_the_plain_one(version: Version) -> None:
    data = base64.b64encode(record(row(5.0)).encode()).decode()
    key = base64.b64encode(key_der(_KEY)).decode()
    signed = {
        "signedMeterData": data,
        "signingMethod": "",
        "encodingMethod": "OCMF",
        "publicKey": key,
    }
    sample = {"value": 5000, "signedMeterValue": signed}
    message = {
        "evseId": 1,
        "meterValue": [{"timestamp": "2026-08-04T13:35:45.377Z", "sampledValue": [sample]}],
    }
    decoded = decode_request(version, "MeterValues", msgspec.Raw(json.dumps(message).encode()))
    (found,) = read_meter_values(version, decoded.message.meterValue, _NOW).readings
    assert found.energy_import_kwh == 5.0
    (value,) = found.signed
    assert (value.verdict, value.data, value.public_key) == ("valid", data, key)
