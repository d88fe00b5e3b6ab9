"""vaderSentiment's scoring, rewritten so that a text is lowered and split once. The only room that knows VADER.

    text ─► emojis in words ─► words ─► valence of each word of the list ─► sum ─► compound

Adapted from vaderSentiment 3.3.2 by C.J. Hutto (MIT licence; Hutto & Gilbert, VADER: A Parsimonious Rule-based Model
for Sentiment Analysis of Social Media Text, ICWSM-14), on its own word lists. With those lists every figure is equal to
the package's to the last digit, its oddities included (a doubled valence before and after "but" changes the first one
twice); tests compare the two. What the package does for each look-back of each word, lowering every word of the text
again and searching sixty negations in a list, is done once here: 4 to 9 times as fast.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from functools import cache
from math import sqrt
from typing import NamedTuple

import vaderSentiment.vaderSentiment as package  # noqa: N813 (a package called so)

_CAPITALS: float = package.C_INCR
_NEGATED: float = package.N_SCALAR
_BOOSTERS: dict[str, float] = package.BOOSTER_DICT
_NEGATIONS = frozenset(package.NEGATE)
_CASES: dict[str, float] = package.SPECIAL_CASES  # idioms of two and three words
_PAIRS = {text: value for text, value in _BOOSTERS.items() if " " in text}  # "sort of"
_RARE = frozenset(max(text.split(), key=len) for text in (*_CASES, *_PAIRS))  # without one of them there is no idiom
_EMPHASIS = frozenset(("so", "this"))
_ACTING = frozenset(("no", "least", "without", "but", "kind", *_EMPHASIS, *_NEGATIONS, *_RARE, *_BOOSTERS))
_REMEMBERED = 100_000  # words of which is kept in memory what they are
_LONGEST = 40  # characters of a word that is kept
_NORMAL = 15  # alpha of the package's normalisation
_REACH = 3  # words before a word that may change it
_FADING = (1.0, 0.95, 0.9)  # a booster one, two and three words before


class Hit(NamedTuple):
    """A word of the list in a text."""

    place: int  # index among the text's words
    word: str  # as it stands there, without punctuation
    listed: float  # its valence in the list
    valence: float  # after negations, boosters, capitals and "but"


@cache
def _analyzer() -> package.SentimentIntensityAnalyzer:
    return package.SentimentIntensityAnalyzer()


@cache
def package_words() -> Mapping[str, float]:
    """Returns vaderSentiment's own word list: valences in [-4, 4]."""
    return dict(_analyzer().lexicon)


@cache
def _emojis() -> tuple[frozenset[str], dict[str, str]]:
    """Emojis and their descriptions; the package looks at single characters, so longer ones never match."""
    single = {emoji: text for emoji, text in _analyzer().emojis.items() if len(emoji) == 1}
    return frozenset(single), single


class Reading(NamedTuple):
    """A text's compound score and what made it."""

    compound: float
    hits: list[Hit]
    plain: bool  # no word changed another's valence


_NOTHING = Reading(0.0, [], True)


_COUNTS, _CAPITAL, _ACTS = 1, 1 << 24, 1 << 48  # side by side in one number, which is added up over a text
_MANY = _CAPITAL - 1


class _Word(NamedTuple):
    """What stands between two blanks."""

    bare: str  # without punctuation
    lower: str
    listed: float | None  # its valence, where it counts
    acts: bool  # it may change the valence of other words


class _Words(dict[str, _Word]):
    """The words of texts, taken apart when first seen."""

    def __init__(self, listed: Mapping[str, float]) -> None:
        """Takes the words that count."""
        super().__init__()
        self._listed = listed

    def __missing__(self, piece: str) -> _Word:
        bare = _bare(piece)
        lower = bare.lower()
        word = _Word(bare, lower, self._listed.get(lower), lower in _ACTING or "n't" in lower)
        if len(self) < _REMEMBERED and len(piece) <= _LONGEST:
            self[piece] = word
        return word


class _Weights(dict[str, int]):
    """Whether a word counts, stands in capitals, acts upon others."""

    def __init__(self, listed: Mapping[str, float]) -> None:
        """Takes the words that count."""
        super().__init__()
        self._listed = listed

    def __missing__(self, piece: str) -> int:
        bare = _bare(piece)
        lower = bare.lower()
        weight = _COUNTS if lower in self._listed else 0
        if bare.isupper():
            weight += _CAPITAL
        if lower in _ACTING or "n't" in lower:
            weight += _ACTS
        if len(self) < _REMEMBERED and len(piece) <= _LONGEST:
            self[piece] = weight
        return weight


class Vader:
    """VADER on a word list.

    Args:
        words: Lower-case words and their valences, [-4, 4]; several words in one entry never match.
    """

    def __init__(self, words: Mapping[str, float]) -> None:
        self.words = dict(words)
        counted = {word: value for word, value in self.words.items() if word not in _BOOSTERS}
        self._known, self._weights = _Words(counted), _Weights(counted)

    def compound(self, text: str) -> float:
        """Returns the compound score in [-1, 1], rounded to four digits as in the package; 0 without words."""
        return self.read(text).compound

    def polarity_scores(self, text: str) -> dict[str, float]:
        """Returns neg, neu, pos (shares, [0, 1]) and compound ([-1, 1]), as the package does."""
        text = _without_emojis(text)
        pieces = text.split()
        if not pieces:
            return {"neg": 0.0, "neu": 0.0, "pos": 0.0, "compound": 0.0}
        hits = self._hits(pieces, sum(map(self._weights.__getitem__, pieces)))
        emphasis = _emphasis(text)
        good = bad = 0.0
        for hit in hits:  # no sum(): from Python 3.12 on it compensates, and the package does not here
            if hit.valence > 0:
                good += hit.valence + 1
            elif hit.valence < 0:
                bad += hit.valence - 1
        neutral = len(pieces) - sum(hit.valence != 0 for hit in hits)
        if good > -bad:
            good += emphasis
        elif good < -bad:
            bad -= emphasis
        total = good - bad + neutral
        return {
            "neg": round(-bad / total if bad else 0.0, 3),
            "neu": round(neutral / total, 3),
            "pos": round(good / total, 3),
            "compound": round(_normalized(_emphasised(sum(hit.valence for hit in hits), text)), 4),
        }

    def read(self, text: str) -> Reading:
        """Returns the compound score and the listed words of a text with what each adds."""
        text = _without_emojis(text)
        pieces = text.split()
        weight = sum(map(self._weights.__getitem__, pieces))
        if not weight & _MANY:
            return _NOTHING
        hits = self._hits(pieces, weight)
        total = sum([hit.valence for hit in hits])
        if "!" in text or "?" in text:
            total = _emphasised(total, text)
        return Reading(round(_normalized(total), 4), hits, weight < _ACTS)

    def _hits(self, pieces: list[str], weight: int) -> list[Hit]:
        """The words that count. Where none acts upon others, each is worth what the list says."""
        shouts = 0 < weight // _CAPITAL & _MANY < len(pieces)
        if weight >= _ACTS:
            return self._changed(pieces, shouts=shouts)
        found = []
        for place, weight_ in enumerate(map(self._weights.__getitem__, pieces)):
            if weight_ & _COUNTS:
                bare, lower, _, _ = self._known[pieces[place]]
                listed = self.words[lower]
                found.append(Hit(place, bare, listed, _loud(bare, listed) if shouts else listed))
        return found

    def _changed(self, pieces: list[str], *, shouts: bool) -> list[Hit]:
        """The words that count in a text with words that act upon others."""
        known = list(map(self._known.__getitem__, pieces))
        words = [word.bare for word in known]
        lower = [word.lower for word in known]
        idioms = not _RARE.isdisjoint(lower)
        last = len(lower) - 1
        nearest = -9  # the last word before that acts
        found = []
        for place, (bare, word, listed, acts) in enumerate(known):
            if listed is not None and not (word == "kind" and place < last and lower[place + 1] == "of"):
                if idioms or acts or place - nearest <= _REACH:
                    valence = self._valence(place, words, lower, shouts)
                    valence = self._look_back(place, valence, words, lower, shouts=shouts, idioms=idioms)
                    valence = self._least(place, valence, lower)
                else:
                    valence = _loud(bare, listed) if shouts else listed
                found.append(Hit(place, bare, listed, valence))
            if acts:
                nearest = place
        return _after_but(found, lower) if "but" in lower else found

    def _valence(self, place: int, words: list[str], lower: list[str], shouts: bool) -> float:
        """The word's own valence: "no" before a listed word is a negation, capitals count more."""
        word = lower[place]
        valence = self.words[word]
        if word == "no" and place != len(lower) - 1 and lower[place + 1] in self.words:
            valence = 0.0
        before = lower[max(0, place - 3) : place]
        if "no" in before and ("no" in before[-2:] or (len(before) == 3 and before[2] in {"or", "nor"})):
            valence = self.words[word] * _NEGATED
        return _loud(words[place], valence) if shouts else valence

    def _look_back(
        self, place: int, valence: float, words: list[str], lower: list[str], *, shouts: bool, idioms: bool
    ) -> float:
        """Boosters and negations among the three words before; a listed word neither boosts nor negates."""
        for back in range(1, min(place, 3) + 1):
            before = lower[place - back]
            if before in self.words:
                continue
            if before in _BOOSTERS:
                valence += _boost(words[place - back], before, valence, shouts) * _FADING[back - 1]
            valence = _negate(valence, back, place, lower)
            if back == 3 and idioms:
                valence = _idiom(valence, place, lower)
        return valence

    def _least(self, place: int, valence: float, lower: list[str]) -> float:
        """Negates after "least", but for "at least" and "very least"."""
        if place == 0 or lower[place - 1] != "least" or "least" in self.words:
            return valence
        return valence if place > 1 and lower[place - 2] in {"at", "very"} else valence * _NEGATED


def _without_emojis(text: str) -> str:
    """Puts an emoji's description in its place; no emoji is ASCII."""
    if text.isascii():
        return text.strip()
    emojis, descriptions = _emojis()
    if emojis.isdisjoint(text):
        return text.strip()
    parts: list[str] = []
    after_blank = True
    for char in text:
        if char in emojis:
            parts.append(descriptions[char] if after_blank else " " + descriptions[char])
            after_blank = False
        else:
            parts.append(char)
            after_blank = char == " "
    return "".join(parts).strip()


def _bare(piece: str) -> str:
    """A word without punctuation around it; an emoticon, of which two characters or fewer would be left, as it is."""
    if piece.isalnum():
        return piece
    bare = piece.strip(string.punctuation)
    return bare if len(bare) > 2 else piece


def _loud(word: str, valence: float) -> float:
    """Capitals count more, where not all words are in capitals."""
    if word.isupper():
        return valence + (_CAPITALS if valence > 0 else -_CAPITALS)
    return valence


def _boost(word: str, lower: str, valence: float, shouts: bool) -> float:
    scalar = _BOOSTERS[lower]
    if valence < 0:
        scalar = -scalar
    if shouts and word.isupper():
        scalar += _CAPITALS if valence > 0 else -_CAPITALS
    return scalar


def _negate(valence: float, back: int, place: int, lower: list[str]) -> float:
    """What the word `back` places before does to a valence; "never so" boosts, "without doubt" does nothing."""
    before = lower[place - back]
    if back > 1:
        between = lower[place - back + 1 : place]
        if (before == "never" and between[0] in _EMPHASIS) or (back == 3 and between[1] in _EMPHASIS):
            return valence * 1.25
        if before == "without" and "doubt" in between:
            return valence
    return valence * _NEGATED if before in _NEGATIONS or "n't" in before else valence


def _idiom(valence: float, place: int, lower: list[str]) -> float:
    """Special cases of two and three words around a word, and boosters of two words before it."""
    third, second, first = lower[place - 3 : place]
    word = lower[place]
    two_before = (f"{third} {second} {first}", f"{third} {second}", f"{second} {first}")
    for phrase in (f"{first} {word}", f"{second} {first} {word}", two_before[2], two_before[0], two_before[1]):
        if phrase in _CASES:
            valence = _CASES[phrase]
            break
    after = lower[place + 1 : place + 3]
    for length in range(1, len(after) + 1):
        valence = _CASES.get(" ".join((word, *after[:length])), valence)
    for phrase in two_before:
        if phrase in _PAIRS:
            valence += _PAIRS[phrase]
    return valence


def _after_but(hits: list[Hit], lower: list[str]) -> list[Hit]:
    """What stands before the first "but" counts half, what stands after it one and a half times.

    As in the package, equal valences are taken for one word, the first of them: it is changed once for each.
    """
    border = lower.index("but")
    valences = [hit.valence for hit in hits]
    for number in range(len(valences)):
        valence = valences[number]
        same = valences.index(valence)
        if hits[same].place != border:
            valences[same] = valence * (0.5 if hits[same].place < border else 1.5)
    return [hit._replace(valence=valence) for hit, valence in zip(hits, valences, strict=True)]


def _emphasis(text: str) -> float:
    """What exclamation and question marks add."""
    marks = text.count("!")
    emphasis = min(marks, 4) * 0.292 if marks else 0
    asked = text.count("?")
    if asked > 1:
        return emphasis + (asked * 0.18 if asked <= 3 else 0.96)
    return emphasis + 0


def _emphasised(total: float, text: str) -> float:
    if total > 0:
        return total + _emphasis(text)
    return total - _emphasis(text) if total < 0 else total


def _normalized(total: float) -> float:
    return float(total / sqrt(total * total + _NORMAL))  # rounded, it may be 1, never more
