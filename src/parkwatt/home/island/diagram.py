"""The island machine's table as the docs show it: a Mermaid state diagram, and a table of the transitions."""

from __future__ import annotations

import string

from parkwatt.home.island.table import ANYWHERE, PHASES, TABLE


def mermaid() -> str:
    """The states and transitions as a Mermaid state diagram; ways into a fault that all phases share are one note."""
    lines = ["stateDiagram-v2", "    [*] --> grid"]
    arrows: dict[tuple[str, str], list[str]] = {}
    for row in TABLE:
        arrows.setdefault((row.phase, row.to_phase), []).append(row.guard)
    lines += [
        f"    {phase} --> {to_phase}: {', '.join(guards)}"
        for (phase, to_phase), guards in arrows.items()
    ]
    lines += [
        "    note right of fault",
        f"        from every phase: {', '.join(guard for guard, _ in ANYWHERE)}",
        "    end note",
    ]
    return "\n".join(lines) + "\n"


def transitions_table() -> str:
    """Phases and transitions as a Markdown table, in the order in which guards are tried."""
    lines = ["| phase | when | to | in words |", "|---|---|---|---|"]
    for guard, words in ANYWHERE:
        lines.append(f"| every other | `{guard}` | fault | {_plain(words)} |")
    for phase, meaning in PHASES.items():
        lines.append(f"| **{phase}** | | | *{meaning}* |")
        lines += [
            f"| | `{row.guard}` | {row.to_phase} | {_plain(row.words)} |"
            for row in TABLE
            if row.phase == phase
        ]
    return "\n".join(lines) + "\n"


def _plain(words: str) -> str:
    """Words with an ellipsis where a figure stands."""
    return "".join(
        text + ("…" if field is not None else "")
        for text, field, _, _ in string.Formatter().parse(words)
    )
