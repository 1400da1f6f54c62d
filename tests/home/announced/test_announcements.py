"""Announcements come, change, are withdrawn and pass; what overlaps is one spell."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.home.event import OutageAnnounced, OutageKind
from parkwatt.home.announced import AnnouncedState, fold, outage_length, spells

H = 3600


def announced(
    announcement_id: str,
    start_h: float,
    end_h: float,
    outage: OutageKind = "planned",
    probability: float | None = None,
    withdrawn: bool = False,
) -> OutageAnnounced:
    return OutageAnnounced(
        announcement_id,
        outage,
        int(start_h * H),
        int(end_h * H),
        f"from {announcement_id}",
        probability,
        withdrawn,
    )


def state_of(*events: OutageAnnounced, now_h: float = 0.0) -> AnnouncedState:
    state = AnnouncedState()
    for event in events:
        state = fold(state, event, int(now_h * H))
    return state


def test_a_later_word_replaces_the_earlier() -> None:
    state = state_of(announced("a", 10, 12), announced("a", 14, 20))
    assert state.announcements == (announced("a", 14, 20),)


def test_withdrawn_and_over_announcements_drop_out() -> None:
    state = state_of(announced("a", 10, 12), announced("b", 14, 20))
    assert state_of(*state.announcements, announced("a", 10, 12, withdrawn=True)).announcements == (
        announced("b", 14, 20),
    )
    assert fold(state, announced("c", 30, 31), 12 * H) == AnnouncedState(
        (announced("b", 14, 20), announced("c", 30, 31))
    )
    assert spells(state, 20 * H) == ()


def test_what_is_over_or_upside_down_is_not_taken() -> None:
    assert state_of(announced("a", 1, 2), now_h=2).announcements == ()
    assert state_of(announced("a", 5, 5), announced("b", 6, 5)).announcements == ()


def test_overlapping_and_meeting_announcements_are_one_spell() -> None:
    state = state_of(
        announced("a", 10, 14, probability=0.5),
        announced("b", 12, 18, probability=0.9),
        announced("c", 18, 19, probability=0.1),
        announced("d", 20, 22),
    )
    first, second = spells(state, 0)
    assert (first.start_unix_s, first.end_unix_s) == (10 * H, 19 * H)
    assert first.probability == 0.9
    assert first.origins == ("from a", "from b", "from c")
    assert (second.start_unix_s, second.probability) == (20 * H, None)


def test_a_planned_outage_in_a_storm_stays_a_spell_of_its_own() -> None:
    state = state_of(announced("a", 10, 14, "storm"), announced("b", 11, 12))
    assert [one.outage for one in spells(state, 0)] == ["storm", "planned"]


def test_improbable_announcements_make_no_spell_and_unknown_counts_as_certain() -> None:
    state = state_of(announced("a", 10, 14, probability=0.1), announced("b", 20, 22))
    assert [one.start_unix_s for one in spells(state, 0, 0.2)] == [20 * H]


@given(
    st.lists(
        st.builds(
            announced,
            st.sampled_from("abcdef"),
            st.integers(0, 40),
            st.integers(0, 60),
            st.sampled_from(["planned", "storm"]),
            withdrawn=st.booleans(),
        ),
        max_size=12,
    ),
    st.integers(0, 50),
)
def test_spells_cover_what_stands_and_nothing_else(
    events: list[OutageAnnounced], now_h: int
) -> None:
    last = {event.announcement_id: event for event in events}
    state = state_of(*events)
    for kind in ("planned", "storm"):
        found = [one for one in spells(state, now_h * H) if one.outage == kind]
        for before, after in itertools.pairwise(found):
            assert before.end_unix_s < after.start_unix_s
        covered = {
            hour for one in found for hour in range(one.start_unix_s // H, one.end_unix_s // H)
        }
        assert covered == {
            hour
            for one in last.values()
            if one.outage == kind and not one.withdrawn and one.end_unix_s > now_h * H
            for hour in range(one.start_unix_s // H, one.end_unix_s // H)
        }


def test_length_is_as_set_until_enough_outages_were_longer() -> None:
    assert outage_length([], 12 * H).reason == "12 h as set"
    assert outage_length([30 * H] * 4 + [10.0] * 50, 12 * H).duration_s == 12 * H, "flickers"
    learned = outage_length([1 * H, 2 * H, 3 * H, 20 * H, 30 * H], 12 * H)
    assert learned.duration_s == 30 * H
    assert learned.reason == "30 h, as nine of ten outages here did not exceed"
    assert outage_length([1 * H] * 50, 12 * H).duration_s == 12 * H
