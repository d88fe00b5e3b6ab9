"""Which way a named company or asset goes in a headline: "Nvidia falls as Broadcom gains".

    headline ─► words with valence, verbs with what they do to subject and object ─► the clause that names the target

In its clause a target goes the way of what is said after it ("Nvidia falls"), else of what is done to it ("hits
Nvidia"), else of the word before it ("weak rupee"). In a list all go the way of the list: "Airtel, Idea plunge".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

from feeds.scoring.german import german_word
from feeds.scoring.lists import load
from feeds.scoring.matching import Matcher, Token, tokens
from feeds.scoring.phrases import MARKS, matcher, single_words
from feeds.scoring.tone import tone

WHERE = "directions.toml"
_NEGATION_REACH = 3
_NEGATIONS = frozenset(
    "not no never without isn't aren't doesn't don't didn't won't can't cannot hardly nor neither "
    "nicht kein keine keinen keiner nie kaum ohne".split()
)
_LIST = frozenset((",", "and", "&", "und", "or", "oder", "/"))
_ADJECTIVE_REACH = 2


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


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A headline's words, what each is worth, and what it does."""

    row: list[Token]
    worth: list[float]  # valence of each word, 0 for most; a phrase's stands at its last word
    verbs: dict[int, tuple[int, _Verb]]  # first word of a verb: its last word, what it does


@lru_cache(maxsize=512)
def _parse(title: str, language: str, as_of: date | None) -> _Parsed:
    row = tokens(title)
    worth = _worth(row, language, as_of)
    verbs: dict[int, tuple[int, _Verb]] = {}
    found = _verbs()
    for index, token in enumerate(row):
        match = found.at(row, index) if found.starts(token.word) else None
        if match is not None:
            verbs[index] = (match[0][-1], match[1][0])
    return _Parsed(row, worth, verbs)


def _worth(row: list[Token], language: str, as_of: date | None) -> list[float]:
    worth = [0.0] * len(row)
    known = matcher(language, as_of)
    lexicon = single_words(language, as_of)
    index = 0
    while index < len(row):
        found = known.at(row, index) if known.starts(row[index].word) else None
        if found is not None:
            places, payloads = found
            worth[places[-1]] = max((value for value, _ in payloads), key=abs)
            index = places[-1] + 1
            continue
        word = row[index].word
        worth[index] = lexicon.get(word, 0.0) or (MARKS.get(german_word(word), 0.0) if language == "de" else 0.0)
        index += 1
    for index in range(len(row)):
        before = row[max(0, index - _NEGATION_REACH) : index]
        if worth[index] and any(token.word in _NEGATIONS for token in before):
            worth[index] *= -0.74
    return worth


def direction(title: str, target: str, language: str = "en", as_of: date | None = None) -> int:
    """Returns which way a named target goes: 1 up or fares well, -1 down, 0 unsaid.

    Args:
        title: The headline.
        target: A name as it stands in the headline; one that does not stand there gets the headline's own tone.
        language: "en" or "de".
        as_of: Leaves out words learned after that day.
    """
    place = _place(tokens(title), target)
    cue = _cue(_parse(title, language, as_of), *place) if place else 0.0
    value = cue or tone(title, language, as_of)[0]
    return (value >= 0.05) - (value <= -0.05)


def target_tone(title: str, target: str, language: str = "en", as_of: date | None = None) -> float:
    """Returns the tone towards a named target, [-1, 1]: the headline's, turned round where the target goes the other way."""
    value = tone(title, language, as_of)[0]
    way = direction(title, target, language, as_of)
    return way * abs(value) if value * way < 0 else value


def cue(title: str, start: int, end: int, language: str, as_of: date | None = None) -> float:
    """Returns what a headline says of the words between two places of its text: above 0 good, below bad, 0 nothing."""
    parsed = _parse(title, language, as_of)
    places = [index for index, token in enumerate(parsed.row) if token.start < end and token.end > start]
    return _cue(parsed, places[0], places[-1]) if places else 0.0


def _place(row: list[Token], target: str) -> tuple[int, int] | None:
    """First and last word of a target in a headline; the longest head of its name that stands there."""
    wanted = [token.word for token in tokens(target)]
    for length in range(len(wanted), 0, -1):
        for index in range(len(row) - length + 1):
            if all(row[index + offset].word == wanted[offset] for offset in range(length)):
                return index, index + length - 1
    return None


def _cue(parsed: _Parsed, first: int, last: int) -> float:
    marks, words, opposed = _breaks()
    row = parsed.row

    def starts_clause(index: int) -> bool:
        return row[index].word in marks or row[index].word in words

    begin = first
    while begin > 0 and not starts_clause(begin - 1):
        begin -= 1
    end = last + 1
    while end < len(row) and not starts_clause(end):
        end += 1
    opener = row[begin - 1].word if begin else ""
    said = _predicate(parsed, last + 1, end)
    done = _done_to(parsed, begin, first)
    near = _adjective(parsed, begin, first)
    if done and first - begin <= 1 + 6 and _between(parsed, begin, first):
        return done
    if said:
        return said
    if done:
        return done
    if near:
        return near
    if opener in opposed:
        return -_predicate(parsed, 0, begin - 1)
    if opener in {"with"}:
        return _predicate(parsed, 0, begin - 1)
    return 0.0


def _between(parsed: _Parsed, begin: int, first: int) -> bool:
    """Whether a verb that does something to its object stands right before the target, but for a word or two."""
    return any(begin <= start and 0 <= first - last - 1 <= 3 and verb.object for start, (last, verb) in parsed.verbs.items() if last < first)


def _predicate(parsed: _Parsed, begin: int, end: int) -> float:
    """The first thing said after a target; in a list what is said of the list."""
    index = begin
    while index < end:
        if index in parsed.verbs:
            last, verb = parsed.verbs[index]
            if verb.subject:
                return float(verb.subject)
            value = sum(parsed.worth[index : last + 1])
            if value and not verb.object:
                return value
            if value and verb.object and not _object_follows(parsed, last + 1, end):
                return value
            if verb.object:
                return value if value and index == begin else 0.0
            index = last + 1
            continue
        if parsed.worth[index]:
            return parsed.worth[index]
        index += 1
    return 0.0


def _object_follows(parsed: _Parsed, begin: int, end: int) -> bool:
    """Whether words follow that a verb may act upon."""
    return any(token.word[0].isalpha() and not parsed.worth[begin + offset] for offset, token in enumerate(parsed.row[begin:end]))


def _done_to(parsed: _Parsed, begin: int, first: int) -> float:
    """What the last verb before a target does to it."""
    doing = [verb for start, (last, verb) in parsed.verbs.items() if begin <= start and last < first]
    return float(doing[-1].object) if doing else 0.0


def _adjective(parsed: _Parsed, begin: int, first: int) -> float:
    for index in range(first - 1, max(begin, first - _ADJECTIVE_REACH) - 1, -1):
        if parsed.worth[index]:
            return parsed.worth[index]
        if parsed.row[index].word in _LIST:
            return 0.0
    return 0.0
