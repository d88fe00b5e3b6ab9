"""Which of sixteen languages a text is in, by py3langid; asked about many texts at once.

py3langid walks over a text's bytes, from state to state, and notes the features it comes across; a text's score for a
language is the sum of their weights. Here many texts walk side by side, a byte of each at a time, in the package's own
tables. Its answer is taken where it is clear; where two languages are close, and rounding might matter, the package
itself is asked, so that the answers are always its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

CANDIDATES = ("en", "de", "fr", "es", "it", "nl", "sv", "da", "no", "fi", "pt", "pl", "cs", "hu", "ro", "tr")
_ACCENTED = frozenset(("cs", "hu", "ro", "tr"))  # hardly a headline of theirs is without an accent
_CLEAR = 0.1  # lead of the first language over the second: a thousand times what rounding changes in a headline
_LONGEST = 400  # bytes of a text that is walked over with others
_FEW = 4  # texts that are sooner asked about one by one


@cache
def _identifier() -> Any:
    import numpy as np
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(list(CANDIDATES))
    identifier.nb_ptc = np.ascontiguousarray(identifier.nb_ptc)  # the same figures, those of a feature side by side
    return identifier


@cache
def _tables() -> tuple[Any, Any, Any, Any]:
    """The package's tables as arrays: next state by row and byte, row of a state, feature of a state, its weights."""
    import numpy as np

    known = _identifier()
    following = np.frombuffer(known.tk_nextmove, dtype=f"u{known.tk_nextmove.itemsize}")
    rows = np.frombuffer(known.tk_row, dtype=f"u{known.tk_row.itemsize}").astype(np.int64) << 8
    return following, rows, np.asarray(known.tk_output, dtype=np.int64), known.nb_ptc.astype(np.float32)


def identify(text: str, *, accented: bool = True) -> str:
    """Returns the language of a text: one of `CANDIDATES`.

    Args:
        text: The text.
        accented: Whether it has accents; without, some languages are out of the question.
    """
    found = str(_identifier().classify(text)[0])
    if found in _ACCENTED and not accented:
        return next(str(code) for code, _ in _identifier().rank(text) if code not in _ACCENTED)
    return found


def identify_many(texts: Sequence[str], accented: Sequence[bool]) -> list[str]:
    """Returns the language of each text."""
    if len(texts) < _FEW:
        return [identify(text, accented=own) for text, own in zip(texts, accented, strict=True)]
    known = _identifier()
    encoded = [known._encode(text) for text in texts]  # noqa: SLF001 (the package has no other name for it)
    short = [number for number, each in enumerate(encoded) if 0 < len(each) <= _LONGEST]
    walked = _walked([encoded[number] for number in short], [accented[number] for number in short]) if short else []
    clear = dict(zip(short, walked, strict=True))
    return [clear.get(number) or identify(text, accented=accented[number]) for number, text in enumerate(texts)]


def _walked(texts: list[bytes], accented: list[bool]) -> list[str]:
    """The language of each text, "" where it is not clear."""
    import numpy as np

    following, rows, features, weights = _tables()
    order = sorted(range(len(texts)), key=lambda number: -len(texts[number]))  # those still walking stand first
    lengths = np.array([len(texts[number]) for number in order])
    longest = int(lengths[0])
    padded = b"".join([texts[number].ljust(longest, b"\0") for number in order])
    letters = np.ascontiguousarray(np.frombuffer(padded, dtype=np.uint8).reshape(len(order), longest).T)
    walking = np.searchsorted(-lengths, -np.arange(1, longest + 1), side="right")
    states = np.zeros(len(order), dtype=np.int64)
    met = []
    for place, count in enumerate(walking.tolist()):
        states = following[rows[states[:count]] + letters[place, :count]]
        met.append(states)
    lanes = np.nonzero(np.arange(len(order)) < walking[:, None])[1]
    found = features[np.concatenate(met)]
    noted, counts = np.unique((lanes * len(weights) + found)[found >= 0], return_counts=True)  # feature and lane in one
    languages = [""] * len(texts)
    if not len(noted):
        return languages
    lane, feature = np.divmod(noted, len(weights))
    present, starts = np.unique(lane, return_index=True)
    scores = np.add.reduceat(np.log1p(counts)[:, None] * weights[feature], starts) + _identifier().nb_pc
    names = _identifier().nb_classes
    plain = ~np.array([accented[order[row]] for row in present.tolist()])
    out = np.array([name in _ACCENTED for name in names])
    scores[plain[:, None] & out] = -np.inf
    best, lead = scores.argmax(axis=1), np.diff(np.partition(scores, -2)[:, -2:])[:, 0]
    for row in np.flatnonzero(lead > _CLEAR).tolist():
        languages[order[int(present[row])]] = names[int(best[row])]
    return languages
