"""What vaderSentiment lets words do to the valence of others: boost, negate, stand in an idiom, shout.

Constants are the package's own. Adapted from vaderSentiment 3.3.2 by C.J. Hutto (MIT licence); see `vader.py`.
"""

from __future__ import annotations

from typing import Final

from vaderSentiment.vaderSentiment import BOOSTER_DICT, C_INCR, N_SCALAR, NEGATE, SPECIAL_CASES

NEGATED: Final[float] = N_SCALAR
BOOSTERS: Final[dict[str, float]] = BOOSTER_DICT
REACH: Final = 3  # words before a word that may change it
_CAPITALS: Final[float] = C_INCR
_NEGATIONS: Final = frozenset(NEGATE)
_CASES: Final[dict[str, float]] = SPECIAL_CASES  # idioms of two and three words
_PAIRS: Final = {text: value for text, value in BOOSTERS.items() if " " in text}  # "sort of"
RARE: Final = frozenset(max(text.split(), key=len) for text in (*_CASES, *_PAIRS))  # without one no idiom
_EMPHASIS: Final = frozenset(("so", "this"))
ACTING: Final = frozenset(("no", "least", "without", "but", "kind", *_EMPHASIS, *_NEGATIONS, *RARE, *BOOSTERS))


def loud(word: str, valence: float) -> float:
    """Capitals count more, where not all words are in capitals."""
    if word.isupper():
        return valence + (_CAPITALS if valence > 0 else -_CAPITALS)
    return valence


def boost(word: str, lower: str, valence: float, *, shouts: bool) -> float:
    """What a booster adds to a valence."""
    scalar = BOOSTERS[lower]
    if valence < 0:
        scalar = -scalar
    if shouts and word.isupper():
        scalar += _CAPITALS if valence > 0 else -_CAPITALS
    return scalar


def negate(valence: float, back: int, place: int, lower: list[str]) -> float:
    """What the word `back` places before does to a valence; "never so" boosts, "without doubt" does nothing."""
    before = lower[place - back]
    if back > 1:
        between = lower[place - back + 1 : place]
        if (before == "never" and between[0] in _EMPHASIS) or (back == 3 and between[1] in _EMPHASIS):
            return valence * 1.25
        if before == "without" and "doubt" in between:
            return valence
    return valence * NEGATED if before in _NEGATIONS or "n't" in before else valence


def idiom(valence: float, place: int, lower: list[str]) -> float:
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


def after_but(places: list[int], valences: list[float], border: int) -> list[float]:
    """What stands before the first "but" counts half, what stands after it one and a half times.

    As in the package, equal valences are taken for one word, the first of them: it is changed once for each.
    """
    changed = list(valences)
    for number in range(len(changed)):
        valence = changed[number]
        same = changed.index(valence)
        if places[same] != border:
            changed[same] = valence * (0.5 if places[same] < border else 1.5)
    return changed


def emphasis(text: str) -> float:
    """What exclamation and question marks add."""
    marks = text.count("!")
    added = min(marks, 4) * 0.292 if marks else 0
    asked = text.count("?")
    if asked > 1:
        return added + (asked * 0.18 if asked <= 3 else 0.96)
    return added + 0


def emphasised(total: float, text: str) -> float:
    """A sum of valences with what the marks of the text add to it."""
    if total > 0:
        return total + emphasis(text)
    return total - emphasis(text) if total < 0 else total
