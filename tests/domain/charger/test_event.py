"""Events: what is written to the journal is read back, each kind under a tag of its own."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.charger.event import (
    ChargerEvent,
    CommandAnswered,
    CommandSent,
    MeterRead,
    NoticeReceived,
    TransactionReported,
    decode,
    encode,
    is_telemetry,
    kind,
)
from parkwatt.domain.charger.rung import Rung

_KINDS: tuple[type[msgspec.Struct], ...] = get_args(ChargerEvent)
_raw = st.dictionaries(st.text(max_size=5), st.integers(), max_size=3).map(
    lambda payload: msgspec.Raw(msgspec.json.encode(payload))
)
st.register_type_strategy(msgspec.Raw, _raw)
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(int, st.integers(-(2**53), 2**53))


def _values(event: object) -> dict[str, object]:
    """The fields, payloads as the bytes they are."""
    fields = msgspec.structs.asdict(event)  # type: ignore[arg-type]
    return {
        name: bytes(value) if isinstance(value, msgspec.Raw) else value
        for name, value in fields.items()
    }


@pytest.mark.parametrize("of_kind", _KINDS, ids=lambda of_kind: of_kind.__name__)
@given(data=st.data())
def test_every_event_is_read_back_as_it_was_written(
    of_kind: type[msgspec.Struct], data: st.DataObject
) -> None:
    event = data.draw(st.from_type(of_kind))
    written = encode(event)  # type: ignore[arg-type]
    read = decode(written)
    assert type(read) is of_kind
    assert _values(read) == _values(event)
    assert encode(read) == written
    assert msgspec.json.decode(written)["kind"] == kind(read)


def test_tags_differ() -> None:
    assert len({of_kind.__struct_config__.tag for of_kind in _KINDS}) == len(_KINDS)


def test_what_is_no_event_is_told() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(b'{"kind":"charger.unheard_of"}')


def test_only_readings_in_the_middle_of_things_may_be_thinned() -> None:
    assert is_telemetry(MeterRead(1, ()))
    assert is_telemetry(TransactionReported("1", "updated", 1, periodic=True))
    assert not is_telemetry(TransactionReported("1", "updated", 1))
    assert not is_telemetry(TransactionReported("1", "started", 1, periodic=True))
    assert not is_telemetry(TransactionReported("1", "ended", 1, periodic=True))
    assert not is_telemetry(CommandSent("m", "Reset", msgspec.Raw(b"{}"), "hand", "asked"))
    assert not is_telemetry(CommandAnswered("m", "Reset"))
    assert not is_telemetry(NoticeReceived("LogStatus", msgspec.Raw(b"{}")))


def test_only_rungs_above_limits_discharge_and_every_rung_has_words() -> None:
    assert [rung.discharges for rung in Rung] == [False, True, True, True, True]
    assert len({rung.words for rung in Rung}) == len(Rung)
