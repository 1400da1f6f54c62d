"""What waits for delivery: tried later and later, given up after a day, never more than so many."""

from __future__ import annotations

from itertools import pairwise

from parkwatt.io.notify import Letter, Outbox

NOW = 1_800_000_000


def letter(made_unix_s: int = NOW, *, urgent: bool = False, title: str = "t") -> Letter:
    """One to Ada."""
    return Letter("Ada", "abc", title, "b", made_unix_s, urgent)


def test_urgent_ones_first_then_the_oldest() -> None:
    outbox = Outbox()
    for one in (letter(NOW + 2), letter(NOW + 1), letter(NOW + 3, urgent=True)):
        outbox.put(one)
    order = []
    while (due := outbox.due(NOW + 10)) is not None:
        order.append(due.made_unix_s - NOW)
        outbox.done(due)
    assert order == [3, 1, 2]


def test_it_is_tried_later_and_later_and_given_up_after_a_day() -> None:
    outbox, tried = Outbox(), []
    outbox.put(letter())
    for now_unix_s in range(NOW, NOW + 100_000, 5):
        due = outbox.due(now_unix_s)
        if due is not None:
            tried.append(now_unix_s - NOW)
            outbox.failed(due, "no answer", now_unix_s)
    waits_s = [after - before for before, after in pairwise(tried)]
    assert waits_s[:5] == [10, 30, 120, 600, 1800]
    assert set(waits_s[5:]) == {1800}
    assert tried[-1] <= 86_400
    assert outbox.letters == []
    assert outbox.lost_count == 1


def test_it_is_bounded_and_keeps_what_is_urgent() -> None:
    outbox = Outbox()
    outbox.put(letter(urgent=True, title="outage"))
    for count in range(500):
        outbox.put(letter(NOW + count))
    assert len(outbox.letters) == 100
    assert outbox.letters[0].title == "outage"
    assert outbox.lost_count == 401
