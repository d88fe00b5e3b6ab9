"""vaderSentiment's scoring, rewritten so that a word is looked at once, when it is first seen.

    text ─► emojis in words ─► words ─► those that count, act upon others or shout ─► sum ─► compound

Adapted from vaderSentiment 3.3.2 by C.J. Hutto (MIT licence; Hutto & Gilbert, VADER: A Parsimonious Rule-based Model
for Sentiment Analysis of Social Media Text, ICWSM-14), on its own word lists. With those lists every figure is equal to
the package's to the last digit, its oddities included (a doubled valence before and after "but" changes the first one
twice); tests compare the two. What the package does for each look-back of each word, lowering every word of the text
again and searching sixty negations in a list, is done once here. What words do to each other: `vader_turns.py`.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from functools import cache
from math import sqrt
from typing import Final, NamedTuple

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from feeds.scoring.rows import LONGEST_WORD, REMEMBERED
from feeds.scoring.vader_turns import (
    ACTING,
    BOOSTERS,
    NEGATED,
    RARE,
    REACH,
    after_but,
    boost,
    emphasis,
    emphasised,
    idiom,
    loud,
    negate,
)

_NORMAL: Final = 15  # alpha of the package's normalisation
_FADING: Final = (1.0, 0.95, 0.9)  # a booster one, two and three words before


class Hit(NamedTuple):
    """A word of the list in a text."""

    word: str  # as it stands there, without punctuation
    listed: float  # its valence in the list
    valence: float  # after negations, boosters, capitals and "but"


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    return SentimentIntensityAnalyzer()


@cache
def package_words() -> Mapping[str, float]:
    """Returns vaderSentiment's own word list: valences in [-4, 4]."""
    return dict(_analyzer().lexicon)


@cache
def _emojis() -> tuple[frozenset[str], dict[str, str]]:
    """Emojis and their descriptions; the package looks at single characters, so longer ones never match."""
    single = {emoji: text for emoji, text in _analyzer().emojis.items() if len(emoji) == 1}
    return frozenset(single), single


class Word:
    """What stands between two blanks and is more than a plain word without valence."""

    __slots__ = ("acts", "bare", "counts", "listed", "lower", "shouts")

    def __init__(self, bare: str, lower: str, listed: float | None, *, acts: bool) -> None:
        """See the fields."""
        self.bare = bare  # without punctuation
        self.lower = lower
        self.counts = listed is not None  # it has a valence
        self.listed = listed or 0.0  # which is this one
        self.acts = acts  # it may change the valence of other words
        self.shouts = bare.isupper()


class _Words(dict[str, Word | None]):
    """The words of texts, taken apart when first seen; None for most."""

    def __init__(self, listed: Mapping[str, float]) -> None:
        """Takes the words that count."""
        super().__init__()
        self.special = frozenset(listed) | ACTING  # words that are more than plain
        self._listed = listed

    def __missing__(self, piece: str) -> Word | None:
        word = self.take_apart(piece)
        if len(self) < REMEMBERED and len(piece) <= LONGEST_WORD:
            self[piece] = word
        return word

    def take_apart(self, piece: str) -> Word | None:
        """Looks at a word."""
        bare = _bare(piece)
        lower = bare.lower()
        if lower in self.special or bare.isupper() or "n't" in lower:
            return Word(bare, lower, self._listed.get(lower), acts=lower in ACTING or "n't" in lower)
        return None


_NOTHING: Final[tuple[float, list[Word], list[float], bool]] = (0.0, [], [], True)


class Vader:
    """VADER on a word list.

    Args:
        words: Lower-case words and their valences, [-4, 4]; several words in one entry never match.
    """

    def __init__(self, words: Mapping[str, float]) -> None:
        self.words = dict(words)
        self.known = _Words({word: value for word, value in self.words.items() if word not in BOOSTERS})

    def compound(self, text: str) -> float:
        """Returns the compound score in [-1, 1], rounded to four digits as in the package; 0 without words."""
        return self.weigh(*self.split(text))[0]

    def polarity_scores(self, text: str) -> dict[str, float]:
        """Returns neg, neu, pos (shares, [0, 1]) and compound ([-1, 1]), as the package does."""
        text = _without_emojis(text)
        pieces = text.split()
        if not pieces:
            return {"neg": 0.0, "neu": 0.0, "pos": 0.0, "compound": 0.0}
        valences = [hit.valence for hit in self.read(text)]
        marks = emphasis(text)
        good = bad = 0.0
        for valence in valences:  # no sum(): from Python 3.12 on it compensates, and the package does not here
            if valence > 0:
                good += valence + 1
            elif valence < 0:
                bad += valence - 1
        neutral = len(pieces) - sum(valence != 0 for valence in valences)
        if good > -bad:
            good += marks
        elif good < -bad:
            bad -= marks
        total = good - bad + neutral
        return {
            "neg": round(-bad / total if bad else 0.0, 3),
            "neu": round(neutral / total, 3),
            "pos": round(good / total, 3),
            "compound": compound(valences, text),
        }

    def read(self, text: str) -> list[Hit]:
        """Returns the listed words of a text with what each adds."""
        _, words, valences, _ = self.weigh(*self.split(text))
        return [Hit(word.bare, word.listed, valence) for word, valence in zip(words, valences, strict=True)]

    def split(self, text: str) -> tuple[str, list[str], list[Word]]:
        """Returns a text with its emojis in words, its pieces between blanks, and those words that are known."""
        text = _without_emojis(text)
        pieces = text.split()
        return text, pieces, list(filter(None, map(self.known.__getitem__, pieces)))

    def weigh(self, text: str, pieces: Sequence[str], known: list[Word]) -> tuple[float, list[Word], list[float], bool]:
        """Adds up a text that is split already.

        Args:
            text: As `split` returns it, with the other two.
            pieces: Its words, between blanks.
            known: Those that are more than plain words without valence.

        Returns:
            The compound score, the words that count, their valences, and whether no word acts upon others.
        """
        counting: list[Word] = []
        acts = loud_ones = False
        for word in known:
            if word.counts:
                counting.append(word)
                loud_ones = loud_ones or word.shouts
            if word.acts:
                acts = True
        if not counting:
            return _NOTHING
        if acts:
            counting, valences = self._changed(pieces)
        else:
            valences = [word.listed for word in counting]
            if loud_ones and not all(map(str.isupper, pieces)):
                valences = [loud(word.bare, value) for word, value in zip(counting, valences, strict=True)]
        return compound(valences, text), counting, valences, not acts

    def _changed(self, pieces: Sequence[str]) -> tuple[list[Word], list[float]]:
        """The words that count in a text with words that act upon others, and their valences."""
        known = list(map(self.known.__getitem__, pieces))
        words = [word.bare if word is not None else "" for word in known]
        lower = [word.lower if word is not None else "" for word in known]  # plain words only where they are looked at
        shouts = 0 < len([word for word in known if word is not None and word.shouts]) < len(pieces)
        idioms = not RARE.isdisjoint(lower)
        last = len(lower) - 1
        nearest = -9  # the last word before that acts
        counting: list[Word] = []
        places: list[int] = []
        valences: list[float] = []
        for place, each in enumerate(known):
            if each is None:
                continue
            near = each.counts and (idioms or each.acts or place - nearest <= REACH)
            if near:
                for index in range(max(0, place - REACH), min(last, place + 2) + 1):
                    lower[index] = lower[index] or _bare(pieces[index]).lower()
            if each.counts and not (each.lower == "kind" and place < last and lower[place + 1] == "of"):
                if near:
                    valence = self._valence(place, words, lower, shouts=shouts)
                    valence = self._look_back(place, valence, words, lower, shouts=shouts, idioms=idioms)
                    valence = self._least(place, valence, lower)
                else:
                    valence = loud(each.bare, each.listed) if shouts else each.listed
                counting.append(each)
                places.append(place)
                valences.append(valence)
            if each.acts:
                nearest = place
        return counting, after_but(places, valences, lower.index("but")) if "but" in lower else valences

    def _valence(self, place: int, words: list[str], lower: list[str], *, shouts: bool) -> float:
        """The word's own valence: "no" before a listed word is a negation, capitals count more."""
        word = lower[place]
        valence = self.words[word]
        if word == "no" and place != len(lower) - 1 and lower[place + 1] in self.words:
            valence = 0.0
        before = lower[max(0, place - 3) : place]
        if "no" in before and ("no" in before[-2:] or (len(before) == 3 and before[2] in {"or", "nor"})):
            valence = self.words[word] * NEGATED
        return loud(words[place], valence) if shouts else valence

    def _look_back(
        self, place: int, valence: float, words: list[str], lower: list[str], *, shouts: bool, idioms: bool
    ) -> float:
        """Boosters and negations among the three words before; a listed word neither boosts nor negates."""
        for back in range(1, min(place, 3) + 1):
            before = lower[place - back]
            if before in self.words:
                continue
            if before in BOOSTERS:
                valence += boost(words[place - back], before, valence, shouts=shouts) * _FADING[back - 1]
            valence = negate(valence, back, place, lower)
            if back == 3 and idioms:
                valence = idiom(valence, place, lower)
        return valence

    def _least(self, place: int, valence: float, lower: list[str]) -> float:
        """Negates after "least", but for "at least" and "very least"."""
        if place == 0 or lower[place - 1] != "least" or "least" in self.words:
            return valence
        return valence if place > 1 and lower[place - 2] in {"at", "very"} else valence * NEGATED


def compound(valences: list[float], text: str) -> float:
    """Returns the compound score of words with these valences, in [-1, 1], rounded to four digits."""
    total = sum(valences)
    if "!" in text or "?" in text:
        total = emphasised(total, text)
    return _rounded(total / sqrt(total * total + _NORMAL))  # rounded, it may be 1, never more


def _rounded(value: float) -> float:
    """What `round(value, 4)` gives for a number in [-1, 1], without writing out and reading its digits."""
    scaled = value * 10_000
    whole = int(scaled + 0.5) if scaled >= 0 else -int(0.5 - scaled)
    if not whole or 0.499 < abs(scaled - whole) < 0.501:  # -0.0, or nearly as far from one as from the other
        return round(value, 4)
    return whole / 10_000


def holds_emoji(text: str) -> bool:
    """Whether a text holds an emoji; no emoji is ASCII."""
    return not (text.isascii() or _emojis()[0].isdisjoint(text))


def _without_emojis(text: str) -> str:
    """Puts an emoji's description in its place."""
    if not holds_emoji(text):
        return text.strip()
    signs, descriptions = _emojis()
    parts: list[str] = []
    after_blank = True
    for char in text:
        if char in signs:
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
