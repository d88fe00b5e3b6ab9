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
from itertools import chain, combinations, pairwise
from typing import Final

from feeds.scoring.clauses import asks
from feeds.scoring.german import german_word
from feeds.scoring.lists import load
from feeds.scoring.matching import Matcher
from feeds.scoring.phrases import MARKS
from feeds.scoring.rules import Reading, rule_book, union
from feeds.scoring.score import sign
from feeds.scoring.tone import single_words, tone
from feeds.scoring.words import LONGEST_WORD, PerWord, split

_LETTERS: Final = (3, 4, 5)
_ASKED: Final = 0.5  # a question says half of what a statement says
_STRONG: Final = 0.5  # a tone from there on is strong
LETTERS: Final = "~"  # a feature of letters begins with it
_THINGS: Final = frozenset(  # classes of things, of which something is said
    "ai|lab|model|data centre|compute|chip|ai supplier|supplier|spender|china|ai spending|demand|outlook|ai hype|power|"
    "open model|small model|fab|chip exports|money|not".split("|")
)
_GOOD, _BAD = 1, 2  # bits of a word's valence
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
    masked = _ROLES.all(row.words)
    about = Reading(row, rule_book("disruption.toml", as_of))
    moves = Reading(row, rule_book("reaction.toml", as_of))
    fired, total = _fired(about)
    words = list(dict.fromkeys(masked))
    found = [
        *words,
        *[f"{one} {two}" for one, two in pairwise(("^", *masked, "$"))],
        *[f"name {word}" for word, role in zip(row.words, masked, strict=True) if role[0] == "["],
        *_classes(masked, about, language, as_of),
        *[f"move {name}" for name in _classes_of(moves.mask, "reaction.toml", as_of)],
        *fired,
        *_signs(about, moves, value, sign(total)),
    ]
    return Parts(list(dict.fromkeys(found)), words, value, tone_words, total)


@cache
def _roles() -> dict[str, str]:
    return {name: f"[{role}]" for role, names in load("roles.toml").items() for name in names.split()}


def _masked(word: str) -> str:
    """Returns the role that stands for a name, the sign that stands for an amount, or the word."""
    first = word[0]
    if word in _roles():
        return _roles()[word]
    if first.isdigit():
        return "0%" if word[-1] == "%" else "0"
    return f"{first}0" if first in _CURRENCIES and len(word) > 1 else word


_ROLES: Final = PerWord(_masked)


def letters(word: str) -> list[str]:
    """Returns the features of a word's letters, three to five in a row; none of a role or an amount."""
    if not 3 <= len(word) <= LONGEST_WORD or word[0] == "[" or word[0].isdigit():
        return []
    framed = f"<{word}>"
    return [LETTERS + framed[at : at + count] for count in _LETTERS for at in range(len(framed) - count + 1)]


@cache
def _names(where: str, as_of: date | None) -> dict[int, str]:
    return {bit: name for name, bit in rule_book(where, as_of).bits.items()}


@lru_cache(maxsize=20_000)
def _classes_of(mask: int, where: str, as_of: date | None) -> tuple[str, ...]:
    return tuple(name for bit, name in _names(where, as_of).items() if mask & bit)


def _classes(masked: Sequence[str], about: Reading, language: str, as_of: date | None) -> list[str]:
    """Returns classes and meanings clause by clause; words with a valence are of the classes good and bad."""
    polar = _polar(language, as_of).all(about.words)
    meant = _MEANINGS.all(about.words)
    found: list[str] = []
    for marks, places, _ in about.clauses():
        own = slice(places.start, places.stop)
        features, things = _together(union(mask for _, mask in marks), union(polar[own]), as_of)
        found += features
        meanings = dict.fromkeys(chain.from_iterable(meant[own]))
        if meanings:
            things = sorted({*things, *(word for word in masked[own] if word[0] == "[")})
        for meaning in meanings:
            found.append(f"means {meaning}")
            found += [f"{meaning} @ {thing}" for thing in things]
    steps = [
        word if word[0] == "[" else own[0] for word, own in zip(masked, meant, strict=True) if own or word[0] == "["
    ]
    found += [f"{one} > {two}" for one, two in pairwise(steps)]
    return found


@lru_cache(maxsize=20_000)
def _together(mask: int, polar: int, as_of: date | None) -> tuple[list[str], Sequence[str]]:
    """Returns the features of a clause's classes, alone and in pairs, and which of them are things."""
    poles = [name for bit, name in ((_GOOD, "good"), (_BAD, "bad")) if polar & bit]
    names = sorted({*_classes_of(mask, "disruption.toml", as_of), *poles})
    pairs = [f"{one} & {two}" for one, two in combinations(names, 2)]
    return [f"is {name}" for name in names] + pairs, [name for name in names if name in _THINGS]


@cache
def _matcher() -> Matcher[str]:
    words = ((word, meaning) for meaning, words in load("concepts.toml").items() for word in words.split())
    return Matcher(words, "concepts.toml")


def _meanings(word: str) -> tuple[str, ...]:
    """Returns the meanings of a word, and of the parts of one with hyphens."""
    if len(word) > LONGEST_WORD:
        return ()
    parts = [word, *filter(None, word.split("-"))] if "-" in word else [word]
    return tuple(dict.fromkeys(meaning for part in parts for meaning in _matcher().single(part)))


_MEANINGS: Final = PerWord(_meanings)


@cache
def _polar(language: str, as_of: date | None) -> PerWord[int]:
    """Returns whether a word of a language has a valence, and which."""
    lexicon = single_words(language, as_of)

    def look(word: str) -> int:
        valence = lexicon.get(word, 0.0)
        if language == "de" and not valence:
            valence = MARKS.get(german_word(word, as_of), 0.0)
        return (_GOOD if valence > 0 else _BAD) if valence else 0

    return PerWord(look)


def _fired(about: Reading) -> tuple[list[str], float]:
    """Returns the rules that fired, and what they say: the strongest of both signs, added up."""
    lowest = highest = 0.0
    names = []
    for rule, taken_back, asked in about.fired():
        worth = (rule.negated if taken_back else rule.value) * (_ASKED if asked else 1.0)
        lowest, highest = min(lowest, worth), max(highest, worth)
        names.append(f"rule {rule.name}{' taken back' * taken_back}{' asked' * asked}")
    return names, max(-1.0, min(1.0, lowest + highest))


@cache
def _moods(rules: int, mood: int, strong: bool) -> list[str]:
    found = [f"rules {rules:+d}", f"tone {mood:+d}", f"rules {rules:+d}, tone {mood:+d}"]
    return [*found, f"strong tone {mood:+d}"] if strong else found


def _signs(about: Reading, moves: Reading, tone_value: float, rules: int) -> Iterator[str]:
    """Yields the sign of the rules and of the analyzer's tone, and what the text is about."""
    yield from _moods(rules, sign(tone_value), abs(tone_value) >= _STRONG)
    yield f"about {about.relevance()}"
    for rule, taken_back, asked in moves.fired():
        yield f"move rule {rule.name}{' taken back' * taken_back}{' asked' * asked}"
    if asks(about.words):
        yield "asks"
