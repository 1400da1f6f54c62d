"""Alerts and feeds are read as meant, whatever else a service sends."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.alerts.cap import read_cap
from parkwatt.io.download import SourceError
from tests.io.alerts.cap_text import NOON, H, alert, entry, feed, info

AREA = (
    "<areaDesc>Sonoma; Napa</areaDesc><polygon>38,-123 39,-123 39,-122 38,-122 38,-123</polygon>"
    "<circle>38.5,-122.5 20</circle><geocode><valueName>UGC</valueName><value>CAZ506</value></geocode>"
)


def test_an_alert() -> None:
    (found,) = read_cap(alert(info(area=AREA)))
    assert (found.identifier, found.event) == ("a1", "High Wind Warning")
    assert (found.severity, found.certainty) == ("Severe", "Likely")
    assert (found.onset_unix_s, found.expires_unix_s) == (NOON + 6 * H, NOON + 18 * H)
    (area,) = found.areas
    assert area.words == "Sonoma; Napa"
    assert area.codes == {"CAZ506"}
    assert len(area.polygons[0]) == 5
    assert area.circles == (((38.5, -122.5), 20.0),)


def test_a_feed_says_the_same() -> None:
    codes = "<valueName>EMMA_ID</valueName><value>DE001 DE002</value>"
    area = f"<cap:areaDesc>Sonoma</cap:areaDesc><cap:geocode>{codes}</cap:geocode>"
    found = read_cap(feed([entry("a1", area=area), entry("a2", event="Storm")]))
    assert [one.identifier for one in found] == ["a1", "a2"]
    assert found[0].areas[0].codes == {"DE001", "DE002"}
    assert found[0].areas[0].words == "Sonoma"
    assert (found[0].onset_unix_s, found[0].expires_unix_s) == (NOON + 6 * H, NOON + 18 * H)
    assert found[0].headline == "By a test"


def test_a_feed_of_whole_alerts() -> None:
    whole = alert(info(area=AREA)).decode().partition("?>")[2]
    (found,) = read_cap(feed([f"<entry><id>x</id><content>{whole}</content></entry>"]))
    assert found == read_cap(alert(info(area=AREA)))[0]


def test_the_two_great_feeds() -> None:
    """As the NWS lists codes, and as MeteoAlarm repeats an alert by area."""
    codes = "<valueName>FIPS6</valueName><value>041059 041061</value><valueName>UGC</valueName><value>ORZ049</value>"
    area = f"<cap:polygon></cap:polygon><cap:geocode>{codes}</cap:geocode>"
    (found,) = read_cap(feed([entry("a1", area=area)]))
    assert found.areas[0].codes == {"041059", "041061", "ORZ049"}
    assert found.areas[0].polygons == ()
    twice = [entry("a1", area=f"<cap:areaDesc>{name}</cap:areaDesc>") for name in ("Here", "There")]
    assert [one.areas[0].words for one in read_cap(feed(twice))] == ["Here", "There"]


def test_each_info_counts_for_itself() -> None:
    found = read_cap(alert(info(), info("Flood Warning", onset_h=8)))
    assert [one.event for one in found] == ["High Wind Warning", "Flood Warning"]


def test_only_what_is_meant() -> None:
    for status in ("Exercise", "System", "Test", "Draft", ""):
        assert read_cap(alert(status=status)) == ()
    for kind in ("Cancel", "Ack", "Error"):
        assert read_cap(alert(kind=kind)) == ()
    past = info(area=f"{AREA}</area><urgency>Past</urgency><area>")
    assert read_cap(alert(past)) == ()
    assert read_cap(alert(identifier="")) == ()


def test_an_update_replaces_and_a_cancellation_takes_back() -> None:
    def with_references(kind: str) -> bytes:
        first = entry("a1")
        second = entry("a2", kind=kind).replace(
            "</entry>", "<cap:references>s,a1,2026-01-15T12:00:00-00:00</cap:references></entry>"
        )
        return feed([first, second])

    assert [one.identifier for one in read_cap(with_references("Update"))] == ["a2"]
    assert read_cap(with_references("Cancel")) == ()
    assert len(read_cap(with_references("Alert"))) == 2


def test_times_that_are_not_told() -> None:
    (found,) = read_cap(alert(info(onset_h=None, expires_h=None)))
    assert found.onset_unix_s == NOON, "as sent"
    assert found.expires_unix_s == NOON + 24 * H
    without_zone = alert(info()).replace(b"-00:00", b"")
    assert read_cap(without_zone) == ()


def test_odd_values_are_unknown_or_nowhere() -> None:
    area = "<polygon>38,-123 39</polygon><circle>a,b c</circle><circle>1,2</circle><polygon>1,1 nan,2 3,3</polygon>"
    (found,) = read_cap(alert(info(severity="Dreadful", certainty="", area=area)))
    assert (found.severity, found.certainty) == ("Unknown", "Unknown")
    assert found.areas[0].polygons == ()
    assert found.areas[0].circles == ()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not XML"),
        (b"\xff\xfe", "not XML"),
        (b"{}", "not XML"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><alert>&x;</alert>', "a type of its own"),
        (b"<alert>&x;</alert>", "not XML"),
        (b"<rss></rss>", "neither a CAP alert nor a feed"),
        (feed(["<entry/>"] * 20_001), "more than 20000 alerts"),
    ],
)
def test_what_is_no_alert(body: bytes, words: str) -> None:
    with pytest.raises(SourceError, match=words) as caught:
        read_cap(body)
    assert caught.value.kind == "broken"


@given(st.binary(max_size=60), st.integers(0, 900), st.integers(0, 60))
def test_a_damaged_alert_is_read_or_refused(noise: bytes, at: int, cut: int) -> None:
    whole = alert(info(area=AREA))
    # Whatever else it raised would end the feed.
    with contextlib.suppress(SourceError):
        assert len(read_cap(whole[:at] + noise + whole[at + cut :])) <= 1
