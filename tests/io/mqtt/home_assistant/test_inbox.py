"""However much is said, little is looked at, and the last word counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.mqtt.home_assistant.inbox import BURST, REFILL_S, STALE_S, Inbox

TOPICS = ("a", "b", "c")


def test_the_newest_of_a_topic_is_looked_at_once_a_second() -> None:
    inbox = Inbox(TOPICS)
    for payload in (b"1", b"2", b"3"):
        assert inbox.take("a", payload, retained=False, now_s=100.0)
    assert inbox.due(100.0).messages == [("a", b"3")]
    inbox.take("a", b"4", retained=False, now_s=100.1)
    assert inbox.due(100.5).messages == []
    assert inbox.due(101.0).messages == [("a", b"4")]


def test_others_topics_and_what_was_kept_are_no_commands() -> None:
    inbox = Inbox(TOPICS)
    assert not inbox.take("z", b"1", retained=False, now_s=0.0)
    inbox.take("a", b"1", retained=True, now_s=0.0)
    taken = inbox.due(0.0)
    assert (taken.messages, taken.retained) == ([], 1)
    assert inbox.due(1.0).retained == 0


def test_what_waited_too_long_is_dropped() -> None:
    inbox = Inbox(TOPICS)
    inbox.take("a", b"1", retained=False, now_s=0.0)
    taken = inbox.due(STALE_S + 1.0)
    assert (taken.messages, taken.late) == ([], 1)


@given(st.lists(st.tuples(st.sampled_from(TOPICS), st.floats(0.0, 0.5)), min_size=1, max_size=400))
def test_in_any_flood_no_more_than_the_bucket_is_looked_at(said: list[tuple[str, float]]) -> None:
    inbox, now_s, count = Inbox(TOPICS), 1000.0, 0
    for topic, wait_s in said:
        now_s += wait_s
        inbox.take(topic, str(now_s).encode(), retained=False, now_s=now_s)
        count += len(inbox.due(now_s).messages)
    assert count <= BURST + (now_s - 1000.0) / REFILL_S + 1


@given(st.lists(st.sampled_from(TOPICS), min_size=1, max_size=60))
def test_the_last_word_is_heard_in_the_end(said: list[str]) -> None:
    inbox, heard = Inbox(TOPICS), {}
    for index, topic in enumerate(said):
        inbox.take(topic, str(index).encode(), retained=False, now_s=5.0)
        heard.update(dict(inbox.due(5.0).messages))
    heard.update(dict(inbox.due(7.0).messages))
    last = {topic: str(index).encode() for index, topic in enumerate(said)}
    assert heard == last
