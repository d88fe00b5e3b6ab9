"""Which way a named company or asset goes in a headline: "Nvidia falls as Broadcom gains".

    headline ─► words with valence, verbs with what they do to subject and object ─► the clause that names the target

In its clause a target goes the way of what is said after it ("Nvidia falls"), else of what is done to it ("features
Nvidia"), else of the word before it ("weak rupee"). In a list all go the way of the list: "Airtel, Idea plunge".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Final

from feeds.scoring.german import german_word
from feeds.scoring.lists import load
from feeds.scoring.matching import Matcher
from feeds.scoring.phrases import LISTS, MARKS, find
from feeds.scoring.score import sign
from feeds.scoring.tone import single_words, tone
from feeds.scoring.words import Row, split

WHERE: Final = "directions.toml"
_NEGATION_REACH: Final = 3
_NEGATIONS: Final = frozenset(
    "not no never without isn't aren't doesn't don't didn't won't can't cannot hardly nor neither "
    "nicht kein keine keinen keiner nie kaum ohne".split()
)
_DENIED: Final = frozenset("denies denied deny rejects rejected dismisses dismissed dementiert bestreitet".split())
_LIST: Final = frozenset((",", "and", "&", "und", "or", "oder", "/"))
_ADJECTIVE_REACH: Final = 2
_OBJECT_REACH: Final = 4
_SAID, _SOURCE = 3, 8  # words before a colon that say something, and at most after it where they name the source


@dataclass(frozen=True, slots=True)
class _Verb:
    subject: int
    object: int


@cache
def _verbs() -> Matcher[_Verb]:
    raw = load(WHERE)["verb"]
    return Matcher(
        ((text, _Verb(block["subject"], block["object"])) for block in raw for text in block["patterns"]), WHERE
    )


@cache
def _breaks() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    raw = load(WHERE)
    return (
        frozenset(raw["clauses"]["marks"].split()),
        frozenset(raw["clauses"]["words"].split()),
        frozenset(raw["opposed"]["words"].split()),
    )


@cache
def _own_words() -> dict[str, float]:
    return {word: float(block["value"]) for block in load(WHERE)["word"] for word in block["words"].split()}


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A headline's words, what each is worth, and what it does."""

    row: Row
    worth: list[float]  # valence of each word, 0 for most; a phrase's stands at its last word
    verbs: list[tuple[int, int, _Verb]]  # first and last word of a verb, what it does


@lru_cache(maxsize=512)
def _parse(title: str, language: str, as_of: date | None) -> _Parsed:
    row = split(title)
    verbs: list[tuple[int, int, _Verb]] = []
    known = _verbs()
    for index in range(len(row.words)):
        found = known.at(row.words, index)
        if found is not None and _DENIED.isdisjoint(row.words[max(0, index - _NEGATION_REACH) : index]):
            last = found[0][-1]
            if last > index + 1 and (shorter := known.at(row.words[:last], index)) is not None:  # of "prefer … to"
                verbs.append((index, shorter[0][-1], shorter[1][0]))
            verbs.append((index, last, found[1][0]))
    return _Parsed(row, _worth(row.words, language, as_of), verbs)


def _worth(words: list[str], language: str, as_of: date | None) -> list[float]:
    own, lexicon = _own_words(), single_words(language, as_of)
    worth = [own.get(word, 0.0) or lexicon.get(word, 0.0) for word in words]
    if language == "de":
        worth = [value or MARKS.get(german_word(word, as_of), 0.0) for value, word in zip(worth, words, strict=True)]
    spent: set[int] = set()  # words of phrases, whose negations are in the phrase's valence already
    for places, value, _ in find(words, language, as_of):
        for place in places:
            worth[place] = 0.0
        worth[places[-1]] = value
        spent.update(places)
    for index, value in enumerate(worth):
        before = range(max(0, index - _NEGATION_REACH), index)
        if value and any(words[place] in _NEGATIONS and place not in spent for place in before):
            worth[index] = -0.74 * value  # vaderSentiment's factor
    return worth


def direction(title: str, target: str, language: str = "en", as_of: date | None = None) -> int:
    """Returns which way a named target goes: 1 up or fares well, -1 down, 0 unsaid.

    Args:
        title: The headline.
        target: A name as it stands in the headline; one that does not stand there gets the headline's own tone.
        language: "en" or "de"; of any other language nothing is said.
        as_of: Leaves out words learned after that day.
    """
    if language not in LISTS:
        return 0
    place = _place(split(title).words, target)
    parsed = _parse(title, language, as_of)
    cue = _cue(parsed, *place) if place else 0.0
    if place and not cue and _speaks_last(parsed, place[0]):
        return 0
    value = cue or tone(title, language, as_of)[0]
    return sign(value)


def target_tone(title: str, target: str, language: str = "en", as_of: date | None = None) -> float:
    """Returns the tone towards a named target, [-1, 1]: the headline's, turned round where it goes against it."""
    if language not in LISTS:
        return 0.0
    value = tone(title, language, as_of)[0]
    way = direction(title, target, language, as_of)
    return way * abs(value) if value * way < 0 else value


def cue(title: str, start: int, end: int, language: str, as_of: date | None = None) -> float:
    """Returns what a headline says of the words between two places of its text: above 0 good, below bad, 0 nothing."""
    parsed = _parse(title, language, as_of)
    places = [index for index, span in enumerate(parsed.row.spans) if span[0] < end and span[1] > start]
    return _cue(parsed, places[0], places[-1]) if places else 0.0


def speaks_last(title: str, start: int, language: str, as_of: date | None) -> bool:
    """Whether the words from `start` on are but the source of what is said before: "Chips to stay scarce: Goldman"."""
    parsed = _parse(title, language, as_of)
    return _speaks_last(parsed, sum(span[1] <= start for span in parsed.row.spans))


def _speaks_last(parsed: _Parsed, first: int) -> bool:
    words = parsed.row.words
    colon = max((index for index in range(first) if words[index] == ":"), default=0)
    return colon >= _SAID and len(words) - colon <= _SOURCE and not any(parsed.worth[colon:])


def _place(words: list[str], target: str) -> tuple[int, int] | None:
    """First and last word of a target in a headline; the longest head of its name that stands there."""
    wanted = split(target).words
    for length in range(len(wanted), 0, -1):
        for index in range(len(words) - length + 1):
            if words[index : index + length] == wanted[:length]:
                return index, index + length - 1
    return None


def _cue(parsed: _Parsed, first: int, last: int) -> float:
    """What a headline says of the words `first` … `last`."""
    marks, words, opposed = _breaks()
    row = parsed.row.words
    joined = {index for start, stop, _ in parsed.verbs for index in range(start + 1, stop + 1)}  # "focus on" is one

    def breaks(index: int) -> bool:
        return row[index] in marks or (row[index] in words and index not in joined)

    begin, end = first, last + 1
    while begin > 0 and not breaks(begin - 1):
        begin -= 1
    while end < len(row) and not breaks(end):
        end += 1
    done, close = _done_to(parsed, begin, first)
    near = _adjective(parsed, begin, first)
    said = _predicate(parsed, last + 1, end)
    for value in ((near if near and parsed.worth[first - 1] else 0.0), done if close else 0.0, said, done, near):
        if value:
            return value
    opener = row[begin - 1] if begin else ""
    if opener in opposed:
        return -_predicate(parsed, 0, begin - 1)
    return _predicate(parsed, 0, begin - 1) if opener == "with" else 0.0


def _predicate(parsed: _Parsed, begin: int, end: int) -> float:
    """The first thing said after a target, or done by it."""
    for index in range(begin, end):
        for start, last, verb in parsed.verbs:
            if start == index and last < end:
                if verb.subject:
                    return float(verb.subject)
                if verb.object and any(word[0].isalpha() for word in parsed.row.words[last + 1 : end]):
                    return 0.0  # what it does to others says nothing of itself
        if parsed.worth[index]:
            return parsed.worth[index]
    return 0.0


def _done_to(parsed: _Parsed, begin: int, first: int) -> tuple[float, bool]:
    """What the last verb before a target does to it, and whether it stands right before it, but for a word or three."""
    doing = [(last, verb.object) for start, last, verb in parsed.verbs if begin <= start and last < first]
    if not doing:
        return 0.0, False
    last, effect = max(doing)
    return float(effect), bool(effect) and first - last <= _OBJECT_REACH


def _adjective(parsed: _Parsed, begin: int, first: int) -> float:
    """The worth of a word shortly before a target: "weak rupee"; a verb that acts upon it is none."""
    acting = {index for start, last, verb in parsed.verbs if verb.object for index in range(start, last + 1)}
    for index in range(first - 1, max(begin, first - _ADJECTIVE_REACH) - 1, -1):
        if parsed.row.words[index] in _LIST or index in acting:
            return 0.0
        if parsed.worth[index]:
            return parsed.worth[index]
    return 0.0
