"""Names that a person gives: of users and of API tokens. They stand in paths, headers, logs and the journal."""

from __future__ import annotations

import unicodedata
from typing import Final

from parkwatt.domain.record import Faults

NAME_CHARACTERS_MAX: Final = 48
_NOT_IN_NAMES: Final = frozenset('/\\?#%&<>"`{}|^;:,*$=')
_RULE: Final = (
    f"must be 1 to {NAME_CHARACTERS_MAX} letters, digits, spaces or signs such as . - _ ' @ ( ) +"
)


def checked_name(field: str, name: str, faults: Faults) -> str:
    """The name in one spelling (Unicode NFC). What cannot be seen, or means something in an address, is a fault."""
    spelt = unicodedata.normalize("NFC", name)
    fits = 1 <= len(spelt) <= NAME_CHARACTERS_MAX and spelt.isprintable()
    if not fits or spelt != spelt.strip() or not spelt.strip(".") or _NOT_IN_NAMES & set(spelt):
        faults.add(field, _RULE, name)
    return spelt


def key_of(name: str) -> str:
    """Names with the same key are one name: case and look-alike forms of a letter make no difference."""
    return unicodedata.normalize("NFKC", name).casefold()
