"""Short ways to the tone of plain English titles; `tone.py` is the long one, with the same result.

What a glance has seen says which way is open: no emoji, no odd blanks, no word that acts upon others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date

from feeds.scoring.phrases import MARKS, Found
from feeds.scoring.rows import STOPS, Row, words_of
from feeds.scoring.tone import agree, decided, engine
from feeds.scoring.vader import Word, compound
from feeds.scoring.vader_turns import loud


def simple_tone(
    text: str, pieces: Sequence[str], words: list[Word], as_of: date | None, *, shouts: bool, opens: bool
) -> tuple[float, tuple[str, ...]]:
    """The tone of a title without phrases.

    Args:
        text: The title.
        pieces: What stands between its blanks.
        words: Those that count, in their order; one at least, no mark among them.
        as_of: Leaves out words learned after that day.
        shouts: Whether one of them stands in capitals.
        opens: Whether a subordinate clause may begin in the text.
    """
    listed = valences = [word.listed for word in words]
    if shouts and not all(map(str.isupper, pieces)):
        valences = [loud(word.bare, value) for word, value in zip(words, valences, strict=True)]
    value = compound(valences, text)
    features = tuple([word.lower for word in words])
    if not opens:
        return value, features
    return decided(engine("en", as_of), text, value, features, agreed=agree(listed))


def phrased_tone(
    row: Row, starts: Sequence[int], found: Sequence[Found], words: list[Word | None], *, opens: bool
) -> tuple[float, tuple[str, ...]] | None:
    """The tone of a title with phrases, each word of which is a piece for itself; None where this way is not open.

    Args:
        row: The title.
        starts: Where each of its pieces begins among its words.
        found: Its phrases.
        words: For each piece the word if it counts.
        opens: Whether a subordinate clause may begin in the text.
    """
    known = _marked(row.pieces, starts, found)
    if known is None:
        return None
    marks, features = known
    listed: list[float] = []
    valences: list[float] = []
    for index, each in enumerate(words):
        if index in marks:
            if (valence := marks[index]) is not None:
                listed.append(valence)
                valences.append(valence)
        elif each is not None:
            listed.append(each.listed)
            valences.append(loud(each.bare, each.listed))  # not all words stand in capitals: no mark does
            features.append(each.lower)
    if not features:
        return 0.0, ()
    return None if opens and not agree(listed) else (compound(valences, row.text), tuple(features))


def _marked(
    pieces: Sequence[str], starts: Sequence[int], found: Sequence[Found]
) -> tuple[dict[int, float | None], list[str]] | None:
    """For pieces of phrases the phrase's valence, at its last, or None; and the phrases that have one."""
    marks: dict[int, float | None] = {}
    features: list[str] = []
    for places, value, word in found:
        if word not in MARKS:
            return None  # a turn, which acts upon others
        owners = [bisect_right(starts, place) - 1 for place in places]
        for place, index in zip(places, owners, strict=True):
            if starts[index] != place or not _stands_alone(pieces[index]):
                return None
            marks[index] = None
        marks[owners[-1]] = MARKS[word]
        if value:
            features.append(_shown(pieces, places, owners))
    return marks, features


def _stands_alone(piece: str) -> bool:
    """Whether a piece is one word, but for a stop at its end."""
    if piece.isalnum():
        return len(words_of(piece)) == 1
    return piece[-1] in STOPS and piece[:-1].isalnum() and len(words_of(piece)) == 2


def _shown(pieces: Sequence[str], places: tuple[int, ...], owners: Sequence[int]) -> str:
    """The words of a phrase as they stand in the text: neighbours together, others with dots between."""
    parts: list[str] = []
    before = at = -2
    for place, index in zip(places, owners, strict=True):
        word = pieces[index] if pieces[index].isalnum() else pieces[index][:-1]
        if place == before + 1:
            parts += (*pieces[at + 1 : index], word)
        else:
            parts += ("…", word) if parts else (word,)
        before, at = place, index
    return " ".join(parts)
