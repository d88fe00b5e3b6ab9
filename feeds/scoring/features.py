"""Takes a headline apart into the features that the heads weigh.

words and pairs   cuts, cuts capex           names stand as their role: [chip], [cloud], amounts as 0, $0, 0%
names             name nvidia
letters           ~plun, ~plung              three to five in a row; German compounds, and words not met before
classes           is spending, is bad        lists of words, English and German alike (disruption.toml)
pairs of classes  cut & spending             in one clause: negations and what is said of whom
meanings          means cut                  words of one meaning, whatever they are about (concepts.toml)
  of a thing      cut @ chip                 with a class or a role in its clause
  in order        [cloud] > cut              one after the other
rules             rule spending cut          which fired, and whether they were taken back or asked
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from itertools import combinations, pairwise
from typing import Final

from feeds.scoring.clauses import asks
from feeds.scoring.german import german_word
from feeds.scoring.lists import load
from feeds.scoring.matching import Matcher
from feeds.scoring.phrases import MARKS
from feeds.scoring.rules import Reading, rule_book
from feeds.scoring.score import sign
from feeds.scoring.tone import single_words, tone
from feeds.scoring.words import LONGEST_WORD, Row, split

_LETTERS: Final = (3, 4, 5)
_ASKED: Final = 0.5  # a question says half of what a statement says
_STRONG: Final = 0.5  # a tone from there on is strong
LETTERS: Final = "~"  # a feature of letters begins with it
_THINGS: Final = frozenset(  # classes of things, of which something is said
    "ai|lab|model|data centre|compute|chip|ai supplier|supplier|spender|china|ai spending|demand|outlook|ai hype|power|"
    "open model|small model|fab|chip exports|money|not".split("|")
)
_CURRENCIES: Final = frozenset("$€£¥")


@dataclass(frozen=True, slots=True)
class Parts:
    """A text taken apart: its features, and what other steps of the score use."""

    features: list[str]  # each once, those of letters left out
    words: list[str]  # each once, with roles for names: whose letters are features too
    tone: float  # the analyzer's, [-1, 1]
    tone_words: tuple[str, ...]
    rules: float  # the lowest and the highest value of the rules that fired, added up, [-1, 1]

    @property
    def phrased(self) -> bool:
        """Whether a phrase of several words speaks in the tone."""
        return any(" " in word for word in self.tone_words)


def take_apart(text: str, language: str, as_of: date | None = None) -> Parts:
    """Takes an English or German text apart.

    Args:
        text: A title.
        language: "en" or "de".
        as_of: Leaves out words learned after that day.
    """
    row = split(text)
    value, tone_words = tone(text, language, as_of)
    masked, named = _masked(row.words)
    about = Reading(row, rule_book("disruption.toml", as_of))
    moves = Reading(row, rule_book("reaction.toml", as_of))
    fired, total = _fired(about)
    words = list(dict.fromkeys(masked))
    found = [
        *words,
        *[f"{one} {two}" for one, two in pairwise(("^", *masked, "$"))],
        *[f"name {word}" for word in named],
        *_classes(row, masked, about, moves, language, as_of),
        *fired,
        *_signs(about, moves, value, sign(total)),
    ]
    return Parts(list(dict.fromkeys(found)), words, value, tone_words, total)


@cache
def _roles() -> dict[str, str]:
    return {name: f"[{role}]" for role, names in load("roles.toml").items() for name in names.split()}


def _masked(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns the words with roles for names and signs for amounts, and the names."""
    roles = _roles()
    masked, named = [], []
    for word in words:
        first = word[0]
        if word in roles:
            masked.append(roles[word])
            named.append(word)
        elif first.isdigit():
            masked.append("0%" if word[-1] == "%" else "0")
        elif first in _CURRENCIES:
            masked.append(f"{first}0" if len(word) > 1 else first)
        else:
            masked.append(word)
    return masked, named


def letters(word: str) -> list[str]:
    """Returns the features of a word's letters, three to five in a row; none of a role or an amount."""
    if not 3 <= len(word) <= LONGEST_WORD or word[0] == "[" or word[0].isdigit():
        return []
    framed = f"<{word}>"
    return [LETTERS + framed[at : at + count] for count in _LETTERS for at in range(len(framed) - count + 1)]


@cache
def _names(where: str, as_of: date | None) -> dict[int, str]:
    return {bit: name for name, bit in rule_book(where, as_of).bits.items()}


@cache
def _classes_of(mask: int, where: str, as_of: date | None) -> tuple[str, ...]:
    return tuple(name for bit, name in _names(where, as_of).items() if mask & bit)


def _classes(
    row: Row, masked: Sequence[str], about: Reading, moves: Reading, language: str, as_of: date | None
) -> Iterator[str]:
    """Classes and meanings clause by clause; words with a valence are of the classes good and bad."""
    polar = _polar(row.words, language, as_of)
    meant = [_meanings(word) if len(word) <= LONGEST_WORD else () for word in row.words]
    for marks, places, _ in about.clauses():
        mask = 0
        for _, classes in marks:
            mask |= classes
        names = {*_classes_of(mask, "disruption.toml", as_of), *(polar[place] for place in places if place in polar)}
        if names:
            ordered = sorted(names)
            yield from [f"is {name}" for name in ordered]
            yield from [f"{one} & {two}" for one, two in combinations(ordered, 2)]
        things = sorted((names & _THINGS) | {masked[place] for place in places if masked[place][0] == "["})
        for meaning in dict.fromkeys(each for place in places for each in meant[place]):
            yield f"means {meaning}"
            yield from [f"{meaning} @ {thing}" for thing in things]
    steps = [
        word if word[0] == "[" else own[0] for word, own in zip(masked, meant, strict=True) if own or word[0] == "["
    ]
    yield from (f"{one} > {two}" for one, two in pairwise(steps))
    yield from (f"move {name}" for name in _classes_of(moves.mask, "reaction.toml", as_of))


@cache
def _matcher() -> Matcher[str]:
    words = ((word, meaning) for meaning, words in load("concepts.toml").items() for word in words.split())
    return Matcher(words, "concepts.toml")


@lru_cache(maxsize=50_000)
def _meanings(word: str) -> tuple[str, ...]:
    """Returns the meanings of a word, and of the parts of one with hyphens."""
    parts = [word, *filter(None, word.split("-"))] if "-" in word else [word]
    return tuple(dict.fromkeys(meaning for part in parts for meaning in _matcher().single(part)))


def _polar(words: Sequence[str], language: str, as_of: date | None) -> dict[int, str]:
    """Returns the places of words with a valence, each "good" or "bad"."""
    lexicon = single_words(language, as_of)
    found = {}
    for place, word in enumerate(words):
        valence = lexicon.get(word, 0.0)
        if language == "de" and not valence:
            valence = MARKS.get(german_word(word, as_of), 0.0)
        if valence:
            found[place] = "good" if valence > 0 else "bad"
    return found


def _fired(about: Reading) -> tuple[list[str], float]:
    """Returns the rules that fired, and what they say: the strongest of both signs, added up."""
    lowest = highest = 0.0
    names = []
    for rule, taken_back, asked in about.fired():
        worth = (rule.negated if taken_back else rule.value) * (_ASKED if asked else 1.0)
        lowest, highest = min(lowest, worth), max(highest, worth)
        names.append(f"rule {rule.name}{' taken back' * taken_back}{' asked' * asked}")
    return names, max(-1.0, min(1.0, lowest + highest))


def _signs(about: Reading, moves: Reading, tone_value: float, rules: int) -> Iterator[str]:
    """Yields the sign of the rules and of the analyzer's tone, and what the text is about."""
    mood = sign(tone_value)
    yield f"rules {rules:+d}"
    yield f"tone {mood:+d}"
    yield f"rules {rules:+d}, tone {mood:+d}"
    if abs(tone_value) >= _STRONG:
        yield f"strong tone {mood:+d}"
    yield f"about {about.relevance()}"
    for rule, taken_back, asked in moves.fired():
        yield f"move rule {rule.name}{' taken back' * taken_back}{' asked' * asked}"
    if asks(about.words):
        yield "asks"
