"""Every sentence that the program can say has its German: by its own source, and by what homes really said."""

from __future__ import annotations

import re
import time

import pytest

from parkwatt.app.words import translate
from parkwatt.app.words.translation import is_known, patterns
from tests.app.words.spoken import chunks
from tests.house import source

_PLACEHOLDER = re.compile(r"\{[vtsx]\d?\}")


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("charging with 3.2 kW until 22:40", "lädt mit 3,2 kW bis 22:40"),
        ("resting; planned to charge from tomorrow 02:00", "ruht; soll ab morgen 02:00 laden"),
        ("asked were 80%; there will be about 64%", "gewünscht waren 80 %; es werden etwa 64 %"),
        (
            (
                "until 02:00: waits until Fri 02:00: 3.0 ct/kWh cheaper than now, and 33.0 kWh (43 %) is still reached "
                "by 07:30; cut from 2.0 kW to 0.50 kW: the house uses 0.50 kW and nothing may be fed in"
            ),
            (
                "bis 02:00: wartet bis Fr 02:00: dann 3,0 ct/kWh billiger als jetzt, und 33,0 kWh (43 %) sind bis 07:30 "
                "trotzdem erreicht; gekürzt von 2,0 kW auf 0,50 kW: das Haus braucht 0,50 kW, "
                "und eingespeist werden darf nichts"
            ),
        ),
        (
            (
                "ID.4: -1.20 kW, asked were -2.00 kW: running the house from the car, which uses more than forecast "
                "(until 22:30: runs the house: a kWh brings 41.2 ct/kWh and costs 33.1 with losses and 2.0 of wear; "
                "refilled from Mon 03:00 at 12.1)"
            ),
            (
                "ID.4: −1,20 kW, verlangt waren −2,00 kW: versorgt das Haus aus dem Auto; es braucht mehr als vorhergesagt "
                "(bis 22:30: versorgt das Haus: eine kWh bringt 41,2 ct/kWh und kostet 33,1 mit Verlusten und 2,0 Verschleiß; "
                "nachgeladen ab Mo 03:00 zu 12,1)"
            ),
        ),
        (
            (
                "the home: grid, after transferring back: the grid pole is closed and the source open "
                "(grid 1.00/1.01/0.99 pu, 50.00 Hz, grid pole closed, island source open, home 1.00 pu)"
            ),
            (
                "das Haus: Netz, nach: kehrt zum Netz zurück: der Netzschalter ist geschlossen und die Quelle getrennt "
                "(Netz 1,00/1,01/0,99 pu, 50,00 Hz, Netzschalter geschlossen, Inselquelle offen, Haus 1,00 pu)"
            ),
        ),
        (
            "12.3 kWh usable: 5.4 to 9.9 h, most likely 7.0 h.",
            "12,3 kWh nutzbar: 5,4 bis 9,9 h, am ehesten 7,0 h.",
        ),
        (
            "Fridge: 1.2 kWh a day, mostly from 7 to 19 h, more on weekdays (1.4) than at weekends (0.80).",
            "Fridge: 1,2 kWh am Tag, meist von 7 bis 19 h, werktags mehr (1,4) als am Wochenende (0,80).",
        ),
        (
            "target_soc: must be from floor_soc (0.2) to highest_soc (0.9), got 1.5",
            "Ziel: muss zwischen floor_soc (0,2) und highest_soc (0,9) liegen, angegeben war 1.5",
        ),
        (
            "meter.grid gives nothing: no answer from 192.0.2.3:502 within 3 s, only to other requests",
            "meter.grid gibt nichts: keine Antwort von 192.0.2.3:502 binnen 3 s, nur auf andere Anfragen",
        ),
        (
            "chargers that nobody tells anything may draw 24.1 kW with the house's 12 kW, beyond 17.2 kW",
            "Wallboxen, denen niemand etwas sagt, dürfen mit den 12 kW des Hauses 24,1 kW ziehen, mehr als 17,2 kW",
        ),
        (
            (
                "In 7 days the car saved 4.10 EUR against charging at once: 5.00 EUR less 0.90 EUR of battery wear; "
                "5 of 6 departures were kept (1 left early)."
            ),
            (
                "In 7 Tagen sparte das Auto 4,10 € gegenüber sofortigem Laden: 5,00 € abzüglich 0,90 € Verschleiß der "
                "Batterie; 5 von 6 Abfahrten wurden eingehalten (1 früher abgefahren)."
            ),
        ),
        (
            "backup.gateway.grid_pole: is required: without its feedback nothing is closed, unless it transfers itself",
            "backup.gateway.grid_pole: ist nötig: ohne Rückmeldung wird nichts geschlossen, außer er schaltet selbst",
        ),
        (
            "'discharge 3.00 kW' at 1 is ignored: asked for -3.0 kW, the meter shows +1.4 kW and nothing after that",
            (
                "„mit 3,00 kW entladen“ an Ladepunkt 1 wird nicht beachtet: verlangt: −3,0 kW, der Zähler zeigt +1,4 kW "
                "und danach nichts"
            ),
        ),
        (
            "the gateway does not tell the grid pole, the bond, for 12 s (no reading)",
            "der Umschalter meldet nicht: den Netzschalter, die Erdverbindung, seit 12 s (keine Messung)",
        ),
    ],
)
def test_a_sentence(english: str, german: str) -> None:
    assert translate(english, "de") == german.replace("80 %", "80\N{NO-BREAK SPACE}%").replace(
        "64 %", "64\N{NO-BREAK SPACE}%"
    )
    assert is_known(english, "de")
    assert translate(english, "en") == english


def test_what_is_not_known_stays_and_what_is_known_in_it_is_said() -> None:
    assert translate("", "de") == ""
    assert translate("the fridge is blue", "de") == "the fridge is blue"
    assert translate("resting", "fr") == "resting"
    said = translate("the device said 'Zzz': load and sun are 2.5 kW off the forecast", "de")
    assert said == "the device said 'Zzz': Verbrauch und Sonne liegen 2,5 kW neben der Vorhersage"


def test_every_word_of_the_source_has_its_german() -> None:
    words = "\n".join("\n".join(_PLACEHOLDER.split(one.english)) for one in patterns("de"))
    found = list(chunks())
    assert len(found) > 200
    source.assert_none(
        f"{place}: '{chunk}' has no German" for place, chunk in found if chunk not in words
    )


def test_placeholders_are_the_same_on_both_sides() -> None:
    source.assert_none(
        f"{one.english}: {one.said}"
        for one in patterns("de")
        if sorted(set(_PLACEHOLDER.findall(one.english)))
        != sorted(set(_PLACEHOLDER.findall(one.said)))
    )


def test_every_pattern_holds_its_own_sentences() -> None:
    samples = {"v": "2.5", "t": "tomorrow 07:30", "s": "off", "x": "Zzz"}
    faults = []
    for one in patterns("de"):
        sentence = re.sub(r"\{([vtsx])\d?\}", lambda found: samples[found[1]], one.english)
        if not is_known(sentence, "de"):
            faults.append(f"'{sentence}' is not found")
    source.assert_none(faults)


def test_nothing_that_a_device_says_takes_long() -> None:
    hostile = [", ".join(["until 02:00: x (y"] * 50), "; " * 400, "((((: " * 160, "a: " * 300]
    begun_s = time.perf_counter()
    for sentence in hostile:
        translate(sentence, "de")
    assert time.perf_counter() - begun_s < 5.0
