"""Tone: finance words, phrases, negations, clauses; German separated verbs and compounds."""

from __future__ import annotations

import pytest

from feeds.errors import InputError
from feeds.scoring import score
from feeds.scoring.matching import Matcher
from feeds.scoring.tone import tone
from feeds.scoring.words import split
from tests.helpers.paths import DATA


@pytest.mark.parametrize(
    ("title", "sign"),
    [
        ("Bank shrugs off recession fears", 1),
        ("Quarter less bad than feared", 1),
        ("Exports fall short of forecasts", -1),
        ("Retailer swings to loss", -1),
        ("Retailer narrows loss", 1),
        ("Inflation falls to two per cent", 1),
        ("Brewer raises full-year outlook", 1),
        ("Brewer cuts full-year outlook", -1),
        ("Steel maker features record high", 1),
        ("Airline shares near 52-week low", -1),
        ("Maker denies layoffs", 1),
        ("Gold falls on stronger dollar", -1),
        ("Miner rallies after three weeks of losses", 1),
        ("Stock exchange appoints new chairman", 0),
        ("Will the rally last?", 0),
        ("What to expect from the slump", 0),
    ],
)
def test_english(title, sign):
    """The main clause says what happened; questions say nothing."""
    value = tone(title, "en")[0]
    assert (value >= 0.05) - (value <= -0.05) == sign


@pytest.mark.parametrize(
    ("title", "sign"),
    [
        ("Umsatz bricht im Sommer um die Hälfte ein", -1),
        ("Umsatz bricht nicht ein", 1),
        ("Aktie legt nach Zahlen deutlich zu", 1),
        ("Kurs gibt leicht nach", -1),
        ("Geschäft zieht wieder an", 1),
        ("Rekordverlust beim Autobauer", -1),
        ("Rekordgewinn beim Autobauer", 1),
        ("Gewinnwarnung beim Autobauer", -1),
        ("Von wegen Krise", 1),
        ("Sorgen um Konjunktur übertrieben", 1),
        ("Rathaus zieht um", 0),
    ],
)
def test_german(title, sign):
    """Separated verbs, their negation, compounds by the longest head, "von wegen"."""
    value = tone(title, "de")[0]
    assert (value >= 0.05) - (value <= -0.05) == sign


def test_a_booster_inside_a_separated_verb_still_counts():
    """It stays where it is when the verb is put together."""
    plain, boosted = score("Kurs bricht ein", language="de").tone, score("Kurs bricht massiv ein", language="de").tone
    assert boosted < plain < 0


@pytest.mark.parametrize(
    ("pattern", "text", "places"),
    [
        ("a|b c", "b c", (0, 1)),
        ("scal* back", "scaling back", (0, 1)),
        ("*sturz", "kurssturz", (0,)),
        ("*sturz", "sturz", None),
        ("fears? ~2 overblown", "fears of war overblown", (0, 3)),
        ("fears? ~2 overblown", "fear: overblown", None),
        ("the (big) cut", "the cut", (0, 1)),
        ("falls <end>", "falls", (0,)),
        ("falls <end>", "falls apart", None),
    ],
)
def test_patterns(pattern, text, places):
    """What the lists are written in."""
    found = Matcher([(pattern, 1)], "here").at(split(text).words, 0)
    assert (found and found[0]) == places


@pytest.mark.parametrize("pattern", ["", "~3 a", "(a) b", "a ~99 b", "a | b"])
def test_a_pattern_that_cannot_work_is_refused_by_name(pattern):
    """Where it stands and what is wrong."""
    with pytest.raises(InputError, match="here: "):
        Matcher([(pattern, 1)], "here")


@pytest.mark.parametrize("mark", ["+", "-", "0"])
def test_what_happens_to_companies_and_in_the_world_has_its_tone(mark):
    """Launches, deals, rulings, outages, people who leave, plain words for how things go: the analyzer's tone."""
    lines = (DATA / "tone_headlines.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split(" ", 2) for line in lines if line and not line.startswith("#")]
    wanted = {"+": 1, "-": -1, "0": 0}[mark]
    told = [(title, tone(title, language)[0]) for sign, language, title in rows if sign == mark]
    assert len(told) > 250
    right = sum((value >= 0.05) - (value <= -0.05) == wanted for _, value in told)
    assert right >= 0.98 * len(told)


@pytest.mark.parametrize(
    ("title", "sign"),
    [
        ("Minister asks court to lift ban", 0),
        ("Minister lifts ban", 1),
        ("Podcast: a brilliant year for chips", 0),
        ("A brilliant year for chips", 1),
        ("Exporter wins appeal against fine", 1),
        ("Mine restarts shuttered plant", 1),
        ("Envoys talk about the war", 0),
        ("Two neighbours go to war", -1),
    ],
)
def test_a_wish_a_format_and_a_subject_are_no_events(title, sign):
    """What is asked for has not come about; a podcast reports nothing; trouble that ends is good news."""
    value = score(title, language="en").tone
    assert (value >= 0.05) - (value <= -0.05) == sign


@pytest.mark.parametrize(
    "title",
    [
        "Die Wirtschaft der Region",
        "Eine Botschaft an die Mannschaft",
        "Das Resultat der Wahl",
        "Regeln zum Datenschutz",
    ],
)
def test_parts_of_german_words_are_no_heads(title):
    """Wirtschaft is no Haft, a Resultat no Tat."""
    assert score(title, language="de").tone == 0
