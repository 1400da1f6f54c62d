"""What a stranger says stays on its line."""

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.app.printable import printable


@given(st.text())
def test_nothing_is_left_that_a_terminal_would_obey(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert shown == text or not text.isprintable()


def test_line_breaks_and_escapes_are_shown() -> None:
    assert printable("a\nb\x1b[2J\u202e") == r"a\nb\x1b[2J\u202e"
    assert printable("Müller 充電") == "Müller 充電"
