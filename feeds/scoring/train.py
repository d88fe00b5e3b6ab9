"""Trains the weights of all vintages from the shipped labels, to the same bytes every time.

    python -m feeds.scoring.train

writes data/weights_*.bin; `cross_validate.py` says what to expect of them.

Every head is a logistic regression with a Gaussian prior on its weights (L2), all fitted in one L-BFGS run. A headline
whose annotator was not sure counts half for sentiment and displacement. What the figures say: docs/scoring.md.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from feeds.scoring.features.parts import LETTERS, letters, take_apart
from feeds.scoring.heads.model import BIAS, COLUMNS, FLAGS, SIGNED, VINTAGES, Floats, path_of, write_model
from feeds.scoring.pipeline import LONGEST
from feeds.scoring.text.clauses import bare
from feeds.scoring.text.lists import DATA

_THREADS: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
LABELS: Final = DATA / "labels"
FILES: Final = ("panel.csv", "events.csv")
FOLDS: Final = 5
_COLUMN: Final = {"sentiment": "compute_demand"}  # a head's column of the labels, where it has another name
_OFTEN: Final = 3  # headlines that a feature must stand in
_PENALTY: Final = 4.0
_LETTERS_WEIGH: Final = 0.4  # a feature of letters, of which a word has a dozen, counts so much of a word
_UNSURE: Final = 0.5
_ROUNDS: Final = 60
# What is added to the log odds of each column: near the best mean of macro-F1 (or F1) over the folds' sets; less for
# relevance and sentiment, for four in five labels are about AI, and one in three headlines of a real flow.
_LIFT: Final = {
    "sentiment -": 1.0, "sentiment +": 0.8, "displacement -": 1.4, "displacement +": 1.8, "tone -": 0.4, "tone +": 0.2,
    "relevance": -0.4, "reaction": 0.6, "cause": 0.0,
}  # fmt: skip

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """A headline with its labels."""

    title: str
    language: str
    day: date
    heads: dict[str, int]
    sure: bool

    @property
    def fold(self) -> int:
        """Which of the five folds its day is in; related headlines of a day stay together."""
        return crc32(self.day.isoformat().encode()) % FOLDS


def read_labels(paths: Iterable[Path] = (LABELS / FILES[0], LABELS / FILES[1])) -> list[Labels]:
    """Reads labelled headlines in the order of the files."""
    found = []
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                heads = {each: int(row[_COLUMN.get(each, each)]) for each in (*SIGNED, *FLAGS)}
                found.append(
                    Labels(
                        title=bare(row["title"])[:LONGEST],
                        language=row.get("lang") or "en",
                        day=date.fromisoformat(row["date"]),
                        heads=heads,
                        sure=row["sure"] == "1",
                    )
                )
    return found


def features_of(rows: Sequence[Labels], as_of: date | None) -> list[list[str]]:
    """Returns the features of each headline, as a day knew the lists."""
    found = []
    for row in rows:
        parts = take_apart(row.title, row.language, as_of)
        found.append([BIAS, *parts.features, *(name for word in parts.words for name in letters(word))])
    return found


def vocabulary(features: Iterable[Sequence[str]]) -> list[str]:
    """Returns the features that stand in three headlines or more, sorted."""
    counts = Counter(name for found in features for name in found)
    return sorted(name for name, count in counts.items() if count >= _OFTEN)


def matrix(features: Sequence[Sequence[str]], names: Sequence[str], counts: float = _LETTERS_WEIGH) -> csr_matrix:
    """Returns headlines by features: how often each stands there, one of letters times `counts`."""
    places = {name: column for column, name in enumerate(names)}
    worth = np.array([counts if name[0] == LETTERS else 1.0 for name in names], dtype=np.float32)
    rows = [sorted(places[name] for name in found if name in places) for found in features]
    columns = np.fromiter((column for row in rows for column in row), dtype=np.int32)
    ends = np.cumsum([0, *map(len, rows)], dtype=np.int32)
    return csr_matrix((worth[columns], columns, ends), shape=(len(rows), len(names)))


def fit(weighed: csr_matrix, rows: Sequence[Labels]) -> Floats:
    """Returns weights, shape (features, columns of the model).

    Minimises the log loss of all heads plus half the penalty times the squared weights.
    """
    turned = weighed.T.tocsr()
    signed = {head: np.array([row.heads[head] for row in rows]) for head in (*SIGNED, *FLAGS)}
    truth = np.zeros((len(rows), len(COLUMNS)), dtype=np.float32)
    counts = np.ones_like(truth)
    for place, head in enumerate(SIGNED):
        truth[:, 2 * place], truth[:, 2 * place + 1] = signed[head] == -1, signed[head] == 1
        if head != "tone":
            counts[:, 2 * place : 2 * place + 2] = np.where([row.sure for row in rows], 1.0, _UNSURE)[:, None]
    for head in FLAGS:
        truth[:, COLUMNS.index(head)] = signed[head] == 1
    counts[:, COLUMNS.index("cause")] = signed["reaction"] == 1  # is there a cause, given that there is a move

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        weights = flat.astype(np.float32).reshape(-1, len(COLUMNS))
        odds = weighed @ weights
        said, value = _said(odds, truth, counts)
        value += _PENALTY / 2 * float(np.square(weights).sum(dtype=np.float64))
        return value, (turned @ ((said - truth) * counts) + _PENALTY * weights).ravel().astype(np.float64)

    start = np.zeros(weighed.shape[1] * len(COLUMNS))
    done = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _ROUNDS, "ftol": 1e-7, "maxcor": 8})
    found: Floats = np.asarray(done.x, dtype=np.float32).reshape(-1, len(COLUMNS))
    return found


def _said(odds: Floats, truth: Floats, counts: Floats) -> tuple[Floats, float]:
    """Returns the probabilities behind log odds, and the log loss."""
    said, loss = np.empty_like(odds), 0.0
    for place in range(len(SIGNED)):
        at = slice(2 * place, 2 * place + 2)
        top = np.maximum(odds[:, at].max(axis=1), 0)
        parts = np.exp(odds[:, at] - top[:, None])
        whole = parts.sum(axis=1) + np.exp(-top)
        said[:, at] = parts / whole[:, None]
        missed = top + np.log(whole) - (odds[:, at] * truth[:, at]).sum(axis=1)
        loss += float((missed * counts[:, at.start]).sum(dtype=np.float64))
    flags = slice(2 * len(SIGNED), len(COLUMNS))
    said[:, flags] = 1 / (1 + np.exp(-odds[:, flags]))
    missed = (np.logaddexp(0, odds[:, flags]) - truth[:, flags] * odds[:, flags]) * counts[:, flags]
    return said, loss + float(missed.sum(dtype=np.float64))


def trained(rows: Sequence[Labels], features: Sequence[Sequence[str]]) -> tuple[list[str], Floats]:
    """Returns the features and their weights, with the lift of each head in the bias."""
    names = vocabulary(features)
    weighed = matrix(features, names)
    weights = fit(weighed, rows)
    weights *= np.array([_LETTERS_WEIGH if name[0] == LETTERS else 1.0 for name in names], dtype=np.float32)[:, None]
    lift = [_LIFT[column] for column in COLUMNS]
    weights[names.index(BIAS)] += np.array(lift, dtype=np.float32)
    return names, weights


def write_vintages() -> list[Path]:
    """Trains and writes the weights of every vintage."""
    rows = read_labels()
    digest = sha256(b"".join((LABELS / name).read_bytes() for name in FILES)).hexdigest()
    paths = []
    for vintage in VINTAGES:
        until = None if vintage == "all" else date.fromisoformat(vintage)
        known = [row for row in rows if until is None or row.day <= until]
        names, weights = trained(known, features_of(known, until))
        last = max(row.day for row in known) if until is None else until
        facts: dict[str, Any] = {"until": last.isoformat(), "headlines": len(known), "labels": digest[:12]}
        write_model(path_of(vintage), names, weights, facts)
        paths.append(path_of(vintage))
    return paths


def main() -> int:
    """Trains and writes; returns the exit code."""
    if any(os.environ.get(name) != "1" for name in _THREADS):
        # with several threads a sum of floats is added up in another order, and some weights come out one unit off
        one = {**os.environ, **dict.fromkeys(_THREADS, "1")}
        return subprocess.run([sys.executable, "-m", "feeds.scoring.train"], env=one, check=False).returncode
    for path in write_vintages():
        sys.stdout.write(f"{path.name}: {path.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
