"""Clauses of a headline: what happened stands in the main clause, what surrounds it after "after", "on", "despite".

"Gold falls on a stronger dollar" is bad news for gold, whatever the dollar does; and a headline that only asks, or
promises advice, reports nothing.
"""

from __future__ import annotations

import re
from typing import Final

from feeds.scoring.text.lists import choices

_OPENERS: Final = frozenset(
    "after following despite ahead before amid amidst on over as because though although even while whereas from since "
    "nach trotz vor wegen angesichts weil obwohl während nachdem".split()
)
_SUBORDINATE: Final = re.compile(
    rf"\s(?:{choices([*sorted(_OPENERS - {'ahead'}), 'ahead of'])})\s",
    re.IGNORECASE,
)
_ASKING: Final = frozenset(
    "will should can could is are does do did what which where when how who wird soll sollte kann ist sind was "
    "welche welcher welches welchen welchem wo wann wie wer droht kommt geht".split()
)
_TEACHING: Final = frozenset(("how", "what", "where", "when"))  # "how to …"
_FORMATS: Final = frozenset(  # "Podcast: …" names what there is to read, look at or hear, and reports nothing
    "podcast quiz obituary pictures photos photo gallery charts chart video watch crossword letters review tv-review "
    "q&a hn webinar profile timeline glossary recipe horoscope bilderstrecke fotostrecke bilder rezension buchkritik "
    "filmkritik leserbriefe leserbrief nachruf porträt tv-tipp tv-tipps glosse anzeige heise-angebot ix-workshop "
    "kaufberatung correction korrektur".split()
)
_WISHING: Final = frozenset(
    "asks ask urges urge seeks wants proposes propose mulls considers demands begs pleads fordert fordern bittet "
    "bitten erwägt plädiert wünscht".split()
)
_WISH_BEGINS: Final = 7  # words within which a wish begins
_ASK: Final = frozenset(("?", "so", "here", *_TEACHING, *_FORMATS))  # without one of them a headline asks nothing
_OR: Final = frozenset(("or", "oder"))
_PREVIEWS: Final = (["what", "to", "expect"], ["what", "to", "know"], ["what", "to", "watch"])

_WIRE: Final = re.compile(
    r"(?:(?:UPDATE|WRAPUP|RPT|REFILE|CORRECTED|BRIEF|EXCLUSIVE|FACTBOX|INSIGHT|TIMELINE) ?\d{0,2} ?-)+ ?"
)
_OUTLETS: Final = frozenset(
    (
        "Reuters|Bloomberg|Bloomberg.com|CNBC|WSJ|The Wall Street Journal|Financial Times|The New York Times|NYT|BBC|"
        "The Guardian|BBC News|CNN|Forbes|TechCrunch|The Verge|Yahoo Finance|MarketWatch|Barron's|Axios|AP News|WIRED|"
        "Business Insider|The Information|The Economist|POLITICO|Ars Technica|ZDNet|Engadget|heise online|Golem.de|t3n|"
        "DER SPIEGEL|SPIEGEL|Handelsblatt|FAZ|FAZ.NET|n-tv|ntv|tagesschau.de|ZDFheute|WELT|FOCUS|manager magazin|"
        "WirtschaftsWoche|Tagesspiegel"
    ).split("|")
)


def bare(title: str) -> str:
    """A title without what agencies put before it ("UPDATE 1-") and the outlet that portals put behind it."""
    if title[:2].isupper() and (found := _WIRE.match(title)):
        title = title[found.end() :]
    for mark in (" - ", " | ", " – "):
        if mark in title:
            head, _, tail = title.rpartition(mark)
            if head and tail.strip() in _OUTLETS:
                return head
    return title


def main_clause(text: str) -> str:
    """Returns the text up to its first subordinate part, or all of it; never less than two words."""
    if text.isascii() and _OPENERS.isdisjoint(text.lower().split()):
        return text
    blank = text.find(" ")
    for match in _SUBORDINATE.finditer(text):
        if -1 < blank < match.start():
            return text[: match.start()]
    return text


def asks(words: list[str]) -> bool:
    """Whether a headline is but a question, or says that it will explain something."""
    if _ASK.isdisjoint(words):
        return False
    if words[0] in _ASKING and words[-1] == "?":
        return words.count("?") == 1
    if words[-1] == "?" and ":" in words:
        last = words[len(words) - words[::-1].index(":") : -1]
        if last and (last[0] in _ASKING or not _OR.isdisjoint(last)):
            return words.count("?") == 1  # "Fed: hike or pause?"
    if ":" in words[1:3] and not _FORMATS.isdisjoint(words[:2]):
        return True
    if words[0] in _TEACHING and words[1:2] == ["to"]:
        return True
    if words[0] in {"here", "what", "so"} and words[1:2] in (["what"], ["how"]):
        return True
    return "what" in words and any(
        words[index : index + 3] in _PREVIEWS for index, word in enumerate(words) if word == "what"
    )


def wishes(words: list[str]) -> bool:
    """Whether a headline says what somebody asks for: the good it speaks of has not come about."""
    return not _WISHING.isdisjoint(words[:_WISH_BEGINS])
