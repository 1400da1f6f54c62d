"""The sentences of a site in a reader's language: what the API says in English is looked up, pattern by pattern."""

from parkwatt.app.words.figures import LANGUAGES, figure_text, time_text
from parkwatt.app.words.translation import translate

__all__ = ["LANGUAGES", "figure_text", "time_text", "translate"]
