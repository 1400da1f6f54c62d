"""Answers as the real sources give them, for prices that a test chooses.

The forms are those of the sources' documentation and of answers that users have posted; the figures are a test's own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from parkwatt.domain.series import utc
from parkwatt.io.prices.answer import Ask

BERLIN = ZoneInfo("Europe/Berlin")
Row = tuple[
    int, int, float | None
]  # start, end, price per MWh (per kWh for Tibber, in pence for Octopus)
EIC = "10Y1001A1001A82H"


def at(*parts: int, zone: ZoneInfo = BERLIN) -> int:
    """Unix seconds of a local time."""
    return int(datetime(*parts, tzinfo=zone).timestamp())  # type: ignore[arg-type, misc]


def ask(from_unix_s: int, until_unix_s: int, currency: str = "EUR", area: str = "DE-LU") -> Ask:
    """What is asked for."""
    return Ask(
        from_unix_s=from_unix_s,
        until_unix_s=until_unix_s,
        time_zone=BERLIN,
        currency=currency,
        zone="DE-LU",
        area=area,
    )


def rows(from_unix_s: int, until_unix_s: int, step_s: int, first: float = 10.0) -> list[Row]:
    """Steps whose prices rise by one each."""
    starts = range(from_unix_s, until_unix_s, step_s)
    return [(start, start + step_s, first + index) for index, start in enumerate(starts)]


def text(time_unix_s: int) -> str:
    """2026-03-28T23:00:00Z."""
    return f"{utc(time_unix_s):%Y-%m-%dT%H:%M:%SZ}"


def energy_charts(told: Sequence[Row], unit: str = "EUR / MWh") -> bytes:
    """The answer of energy-charts."""
    answer = {
        "license_info": "CC BY 4.0 (creativecommons.org/licenses/by/4.0) from Bundesnetzagentur | SMARD.de",
        "unix_seconds": [row[0] for row in told],
        "price": [row[2] for row in told],
        "unit": unit,
        "deprecated": False,
    }
    return json.dumps(answer).encode()


def awattar(told: Sequence[Row], unit: str = "Eur/MWh") -> bytes:
    """The answer of aWATTar."""
    data = [
        {
            "start_timestamp": row[0] * 1000,
            "end_timestamp": row[1] * 1000,
            "marketprice": row[2],
            "unit": unit,
        }
        for row in told
    ]
    return json.dumps({"object": "list", "data": data, "url": "/de/v1/marketdata"}).encode()


def nordpool(
    told: Sequence[Row], area: str = "GER", currency: str = "EUR", state: str = "Final"
) -> bytes:
    """The answer of Nord Pool's data portal for one day."""
    day = datetime.fromtimestamp(told[0][0], BERLIN).date() if told else "2026-03-29"
    answer = {
        "deliveryDateCET": str(day),
        "version": 3,
        "updatedAt": "2026-03-28T11:58:10.7711584Z",
        "deliveryAreas": [area],
        "market": "DayAhead",
        "multiAreaEntries": [
            {
                "deliveryStart": text(row[0]),
                "deliveryEnd": text(row[1]),
                "entryPerArea": {area: row[2]},
            }
            for row in told
        ],
        "blockPriceAggregates": [],
        "currency": currency,
        "exchangeRate": 1,
        "areaStates": [{"state": state, "areas": [area]}],
        "areaAverages": [{"areaCode": area, "price": 50.0}],
    }
    return json.dumps(answer).encode()


def octopus(told: Sequence[Row], following: str | None = None, payment: str | None = None) -> bytes:
    """A page of Octopus, newest first; an end of 0 is open."""
    results = [
        {
            "value_exc_vat": None if row[2] is None else row[2] / 1.05,
            "value_inc_vat": row[2],
            "valid_from": text(row[0]),
            "valid_to": text(row[1]) if row[1] else None,
            "payment_method": payment,
        }
        for row in reversed(told)
    ]
    page = {"count": len(results), "next": following, "previous": None, "results": results}
    return json.dumps(page).encode()


def tibber(
    today: Sequence[Row], tomorrow: Sequence[Row], currency: str = "EUR", home_id: str = "h1"
) -> bytes:
    """The answer of Tibber for one home."""

    def day(told: Sequence[Row]) -> list[dict[str, object]]:
        return [
            {
                "total": row[2],
                "energy": None if row[2] is None else row[2] / 2,
                "startsAt": datetime.fromtimestamp(row[0], BERLIN).isoformat(
                    timespec="milliseconds"
                ),
                "currency": currency,
            }
            for row in told
        ]

    info = {"priceInfo": {"today": day(today), "tomorrow": day(tomorrow)}}
    homes = [{"id": home_id, "currentSubscription": info}]
    return json.dumps({"data": {"viewer": {"homes": homes}}}).encode()


def tibber_error(code: str, message: str) -> bytes:
    """An error of Tibber, which may come with status 200."""
    error = {"message": message, "locations": [], "path": ["viewer"], "extensions": {"code": code}}
    return json.dumps({"errors": [error], "data": None}).encode()


def entsoe_series(
    told: Sequence[Row],
    step_s: int,
    *,
    curve: str = "A01",
    sequence: int | None = None,
    area: str = EIC,
    currency: str = "EUR",
    unit: str = "MWH",
) -> str:
    """One time series of ENTSO-E; curve type A03 leaves out what repeats."""
    start, end = told[0][0], told[-1][1]
    points, before = [], None
    for row in told:
        if row[2] is None or (curve == "A03" and row[2] == before):
            continue
        before = row[2]
        position = (row[0] - start) // step_s + 1
        points.append(
            f"<Point><position>{position}</position><price.amount>{row[2]}</price.amount></Point>"
        )
    name = "classificationSequence_AttributeInstanceComponent.position"
    classified = "" if sequence is None else f"<{name}>{sequence}</{name}>"
    return f"""
      <TimeSeries>
        <mRID>1</mRID>
        <auction.type>A01</auction.type>
        <businessType>A62</businessType>
        <in_Domain.mRID codingScheme="A01">{area}</in_Domain.mRID>
        <out_Domain.mRID codingScheme="A01">{area}</out_Domain.mRID>
        <contract_MarketAgreement.type>A01</contract_MarketAgreement.type>
        <currency_Unit.name>{currency}</currency_Unit.name>
        <price_Measure_Unit.name>{unit}</price_Measure_Unit.name>
        {classified}
        <curveType>{curve}</curveType>
        <Period>
          <timeInterval>
            <start>{utc(start):%Y-%m-%dT%H:%MZ}</start>
            <end>{utc(end):%Y-%m-%dT%H:%MZ}</end>
          </timeInterval>
          <resolution>PT{step_s // 60}M</resolution>
          {"".join(points)}
        </Period>
      </TimeSeries>"""


def entsoe(*series: str) -> bytes:
    """A document of day-ahead prices."""
    return f"""<?xml version="1.0" encoding="utf-8"?>
    <Publication_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3">
      <mRID>bbf443af488b4a0a9c4442bddd8c59c9</mRID>
      <revisionNumber>1</revisionNumber>
      <type>A44</type>
      <sender_MarketParticipant.mRID codingScheme="A01">10X1001A1001A450</sender_MarketParticipant.mRID>
      <createdDateTime>2026-03-28T12:01:32Z</createdDateTime>
      <period.timeInterval><start>2026-03-28T23:00Z</start><end>2026-03-29T22:00Z</end></period.timeInterval>
      {"".join(series)}
    </Publication_MarketDocument>""".encode()


def entsoe_refusal(reason: str) -> bytes:
    """What ENTSO-E answers where it has nothing, or does not like the question."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
    <Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0">
      <mRID>be3917c7-0704-4</mRID>
      <createdDateTime>{datetime(2026, 3, 28, 10, 45, 36, tzinfo=UTC):%Y-%m-%dT%H:%M:%SZ}</createdDateTime>
      <sender_MarketParticipant.mRID codingScheme="A01">10X1001A1001A450</sender_MarketParticipant.mRID>
      <Reason><code>999</code><text>{reason}</text></Reason>
    </Acknowledgement_MarketDocument>""".encode()
