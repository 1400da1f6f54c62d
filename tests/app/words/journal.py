"""What a site's journal says that has no German."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from parkwatt.app.api import reasons
from parkwatt.app.words.translation import is_known
from parkwatt.domain.charger import event as charger_event
from parkwatt.domain.charger.words import in_words
from parkwatt.domain.site import event as site_event
from parkwatt.domain.site.event import PlanAdopted
from parkwatt.io.store.reader import JournalReader

_PAGE = 1000


def without_german(journal: Path) -> list[str]:
    """Sentences of its reasons, plans and chargers that are not whole in the catalogue. There must be some sentences at all."""
    said = set(_reasons(journal)) | set(_plans(journal)) | set(_chargers(journal))
    assert said
    return sorted(sentence for sentence in said if not is_known(sentence, "de"))


def _reasons(journal: Path) -> Iterator[str]:
    seq = 0
    while found := reasons.read_after(journal, seq, ZoneInfo("Europe/Berlin"), _PAGE):
        yield from (reason.message for reason in found)
        seq = found[-1].seq


def _plans(journal: Path) -> Iterator[str]:
    for entry in JournalReader(journal).read(kinds=("plan.adopted",)):
        event = None if entry.payload is None else site_event.decode(entry.payload)
        if isinstance(event, PlanAdopted):
            yield from (reason.message for reason in event.plan.reasons)
            yield from event.plan.risks


def _chargers(journal: Path) -> Iterator[str]:
    for entry in JournalReader(journal).read(kinds=tuple(charger_event.KINDS)):
        if entry.payload is not None:
            yield in_words(charger_event.decode(entry.payload))
