"""Learns the weights of `feeds.scoring.learned` from labelled headlines.

    python -m feeds.scoring.training sentfin.csv --until 2022-03-08 --note "whose data, licence" --output learned_en.tsv

The file is read like one of `backtest score --benchmark`; only its development half is learned from, so that the
other half stays a fair check. The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import logsumexp

from feeds.errors import InputError
from feeds.scoring import DEFAULT, LONGEST
from feeds.scoring.clauses import bare
from feeds.scoring.labelled import read_labelled
from feeds.scoring.learned import OWN, features, raw_words

OFTEN = 3  # headlines that a word or pair must stand in
PENALTY = 5.0  # of the squared weights of words, on the scale of the summed log loss; chosen by cross-validation
OWN_PENALTY = 0.01  # of the rules' weights: nearly none, they are few
DIGITS = 3  # of a weight in the file

Floats = NDArray[np.float64]
Example = tuple[str, float, int]  # title, the rules' tone in [-1, 1], label -1, 0 or 1


def examples(path: Path, declared: str = "en") -> list[Example]:
    """Returns the English headlines of a labelled file's development half that have a tone.

    Raises:
        InputError: The file cannot be read, or one of the three tones does not occur in that half.
    """
    found = []
    for row in read_labelled(path, declared=declared):
        if row.tone is None or row.in_check_half:
            continue
        scored = DEFAULT.score(row.title, "", row.declared, None)
        if scored.language == "en":
            found.append((bare(row.title[:LONGEST]), scored.tone, row.tone))
    if {label for _, _, label in found} != {-1, 0, 1}:
        raise InputError(
            f"{path}: its development half needs headlines of all three tones; see `backtest score --help`"
        )
    return found


def vocabulary(rows: Sequence[Example]) -> list[str]:
    """Returns the features, sorted: words that are no names, pairs of them, and the rules' own."""
    written: Counter[str] = Counter()
    small: Counter[str] = Counter()
    for title, _, _ in rows:
        for word in raw_words(title)[1:]:  # the first has a capital anyway
            written[word.lower()] += 1
            small[word.lower()] += word == word.lower()
    known = {word for word, count in written.items() if 2 * small[word] > count}
    stands_in = Counter(name for title, tone, _ in rows for name in features(title, tone, known))
    often = {name for name in known if stands_in[name] >= OFTEN}
    stands_in = Counter(name for title, tone, _ in rows for name in features(title, tone, often))
    return sorted({*OWN, *(name for name, count in stands_in.items() if count >= OFTEN)})


def fit(rows: Sequence[Example], names: Sequence[str]) -> Floats:
    """Returns weights, shape (features, 2): negative and positive against neutral.

    Minimises the log loss of the softmax plus half the penalty times the squared weights (L-BFGS-B); with every
    weight penalised there is one minimum.
    """
    place = {name: number for number, name in enumerate(names)}
    cells = [
        (row, place[name], value)
        for row, (title, tone, _) in enumerate(rows)
        for name, value in features(title, tone, place).items()
        if name in place
    ]
    at_row, at_column, values = zip(*cells, strict=True)
    weighed = csr_matrix((values, (at_row, at_column)), shape=(len(rows), len(names)))
    labels = np.array([label for _, _, label in rows])
    truth = np.column_stack([labels == each for each in (-1, 0, 1)]).astype(float)
    penalty = np.array([OWN_PENALTY if name in OWN else PENALTY for name in names])[:, None]

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(-1, 3)
        odds = weighed @ weights
        whole = logsumexp(odds, axis=1)
        missed = np.exp(odds - whole[:, None]) - truth
        value = float((whole - (odds * truth).sum(axis=1)).sum() + (penalty * weights**2).sum() / 2)
        return value, (weighed.T @ missed + penalty * weights).ravel()

    start = np.zeros(3 * len(names))
    done = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 5_000, "gtol": 1e-6, "ftol": 1e-15})
    weights = np.asarray(done.x).reshape(-1, 3)
    against: Floats = weights[:, [0, 2]] - weights[:, [1]]
    return against


def weights_text(rows: Sequence[Example], facts: dict[str, Any]) -> str:
    """Learns, and returns the file of weights."""
    names = vocabulary(rows)
    counts = Counter(label for _, _, label in rows)
    facts = {
        **facts,
        "headlines": f"{len(rows):,}",
        "labels": f"{counts[-1]:,} negative, {counts[0]:,} neutral, {counts[1]:,} positive",
        "rules": DEFAULT.label,
        "features": f"{len(names):,}, each in {OFTEN} headlines or more; penalty {PENALTY:g}",
        "columns": "feature, weight for negative, weight for positive; neutral is 0",
    }
    head = [f"# {name}: {' '.join(str(value).split())}" for name, value in facts.items()]
    pulls = (f"{bad:.{DIGITS}f}\t{good:.{DIGITS}f}" for bad, good in fit(rows, names))
    return "\n".join([*head, *(f"{name}\t{pull}" for name, pull in zip(names, pulls, strict=True))]) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads, learns, writes; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m feeds.scoring.training", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("labelled", type=Path, help="CSV of labelled headlines, as for `backtest score --benchmark`")
    parser.add_argument("--until", type=date.fromisoformat, required=True, help="no headline or label is later: DATE")
    parser.add_argument("--note", default="", help="whose data, under which licence")
    parser.add_argument("--output", type=Path, required=True, help="file of weights to write")
    given = parser.parse_args(arguments)
    try:
        rows = examples(given.labelled)
        digest = hashlib.sha256(given.labelled.read_bytes()).hexdigest()
        text = weights_text(rows, {"source": given.note, "until": given.until, "sha256": digest})
        given.output.write_text(text, encoding="utf-8", newline="\n")
    except (InputError, OSError) as wrong:
        sys.stderr.write(f"error: {wrong}\n")
        return 2
    sys.stderr.write(f"{given.output}: {len(rows):,} headlines learned from\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
