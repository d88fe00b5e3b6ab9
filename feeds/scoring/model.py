"""Weighs the features of headlines: the heads of the model, their weights by vintage.

A head is a logistic regression. Three of them tell -1, 0 and 1 apart (multinomial, 0 is the reference), three say yes
or no. A score is the sum of its features' weights, made probabilities; `train.py` makes the weights.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from feeds.errors import InputError
from feeds.scoring.features import Parts, letters

SIGNED: Final = ("sentiment", "displacement", "tone")  # heads of -1, 0, 1: two columns each
FLAGS: Final = ("relevance", "reaction", "cause")  # heads of yes and no: one column each
COLUMNS: Final = tuple(f"{head} {sign}" for head in SIGNED for sign in "-+") + FLAGS
VINTAGES: Final = ("2022-12-31", "2023-12-31", "2024-12-31", "2025-10-26", "all")
BIAS: Final = "<bias>"  # a feature that every headline has
_REMEMBERED: Final = 50_000  # words
_DATA: Final = Path(__file__).with_name("data")

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Learned weights: natural logarithms of odds, by feature and column."""

    places: dict[str, int]  # row of each feature
    weights: Floats  # shape (features + 1, columns); the last row is zero, for features that are not known
    facts: dict[str, Any]  # what the file says of its making
    letters: dict[str, list[int]] = field(default_factory=dict)  # rows of the letters of words met before

    @property
    def trained_until(self) -> date:
        """No headline that it learned from is of a later day."""
        return date.fromisoformat(self.facts["until"])

    def rows(self, parts: Parts) -> list[int]:
        """Returns the rows of a text's features, those of letters last."""
        unknown, get, known = len(self.places), self.places.get, self.letters
        rows = [get(name, unknown) for name in parts.features]
        for word in parts.words:
            own = known.get(word)
            if own is None:
                own = [self.places[name] for name in letters(word) if name in self.places]
                if len(known) < _REMEMBERED:
                    known[word] = own
            rows += own
        return rows

    def weigh(self, texts: Sequence[Sequence[int]]) -> Floats:
        """Returns the log odds of texts by their rows, shape (texts, columns)."""
        bias = self.places.get(BIAS, len(self.places))
        rows = [row for own in texts for row in (bias, *own)]
        starts = np.cumsum([0, *(len(own) + 1 for own in texts[:-1])])
        odds: Floats = np.add.reduceat(self.weights[rows], starts, axis=0)
        return odds

    def strongest(self, parts: Parts, rows: Sequence[int], head: str, sign: str, count: int) -> list[str]:
        """Returns the features of a text that pull most to a sign of a head and away from the other."""
        own = self.weights[rows[: len(parts.features)]]
        at = COLUMNS.index(f"{head} {sign}")
        pulls = own[:, at] - own[:, at ^ 1]
        order = np.argsort(-pulls, kind="stable")[:count].tolist()
        return [parts.features[place] for place in order if pulls[place] > 0]

    def pulls(self, parts: Parts, column: str, *against: str) -> list[tuple[float, str]]:
        """Returns what each known feature adds to a column, less what it adds to others; the strongest first.

        The letters of a word are added up.
        """
        at, others = COLUMNS.index(column), [COLUMNS.index(name) for name in against]
        groups = [([self.places[name]], name) for name in parts.features if name in self.places]
        groups += [([self.places[name] for name in letters(word) if name in self.places], f"letters of {word}")
                   for word in parts.words]  # fmt: skip
        sums = [(self.weights[rows].sum(axis=0), name) for rows, name in groups if rows]
        found = [(float(row[at] - sum(row[other] for other in others)), name) for row, name in sums]
        return sorted(found, key=lambda each: (-abs(each[0]), each[1]))


def signed(odds: Sequence[float]) -> float:
    """Returns P(+) - P(-) of a head's two log odds (softmax with 0 for neutral), in [-1, 1]; 0 where neutral leads."""
    bad, good = odds
    if bad <= 0 and good <= 0:
        return 0.0
    top = max(bad, good)
    parts = np.exp(-top), np.exp(bad - top), np.exp(good - top)
    return round(float((parts[2] - parts[1]) / sum(parts)), 4)


def path_of(vintage: str) -> Path:
    """Returns the file of a vintage's weights."""
    return _DATA / f"weights_{vintage}.bin"


@cache
def model(vintage: str) -> Model:
    """Returns the weights of a vintage."""
    return read_model(path_of(vintage))


def write_model(path: Path, names: Sequence[str], weights: Floats, facts: dict[str, Any]) -> None:
    """Writes weights as whole numbers of eight bits, in units of a column's largest over 127.

    Features that pull nowhere after that are left out. The bytes depend on the arguments alone.
    """
    units = np.maximum(np.abs(weights).max(axis=0), 1e-9) / 127
    whole = np.rint(weights / units).astype(np.int8)
    kept = np.flatnonzero(whole.any(axis=1)).tolist()
    head = json.dumps({**facts, "features": len(kept), "units": [float(f"{unit:.6g}") for unit in units]})
    text = "\n".join([head, *(names[row] for row in kept)])
    path.write_bytes(zlib.compress(text.encode() + b"\0" + whole[kept].tobytes(order="F"), 9))


def read_model(path: Path) -> Model:
    """Reads a file of weights.

    Raises:
        InputError: It is no such file.
    """
    try:
        text, _, raw = zlib.decompress(path.read_bytes()).partition(b"\0")
        head, *names = text.decode().split("\n")
        facts = json.loads(head)
        whole = np.frombuffer(raw, dtype=np.int8).reshape(len(COLUMNS), len(names)).T
        weights = np.zeros((len(names) + 1, len(COLUMNS)), dtype=np.float32)
        weights[:-1] = whole * np.array(facts["units"], dtype=np.float32)
        found = Model(places={name: row for row, name in enumerate(names)}, weights=weights, facts=facts)
        _ = found.trained_until
    except (OSError, ValueError, KeyError, zlib.error) as wrong:
        raise InputError(f"{path}: no weights ({wrong}); `python -m feeds.scoring.train` makes them") from wrong
    return found
