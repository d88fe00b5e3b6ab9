"""Measures by five folds of days what to expect of headlines of other days.

    python -m feeds.scoring.cross_validate [FILE.csv …]

For each fold of days weights are learned from the shipped labels of the other four, and say what they make of its
headlines: of the shipped files, and of files with the same columns. Related headlines stand on one day, so that the
split is by day and never by row.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np

from feeds.scoring.benchmark import classes
from feeds.scoring.model import FLAGS, SIGNED, VINTAGES, Model, in_units, model
from feeds.scoring.pipeline import score_texts
from feeds.scoring.score import Score, ScoreInput, sign
from feeds.scoring.train import FILES, FOLDS, LABELS, Labels, features_of, read_labels, trained

_LATER: Final = date(2024, 12, 31)  # all news after it is unknown to the vintages that it is measured on


def fold_models(rows: Sequence[Labels]) -> list[Model]:
    """Returns for each fold the model that learned from the days of the others."""
    features = features_of(rows, None)
    models = []
    for fold in range(FOLDS):
        kept = [place for place, row in enumerate(rows) if row.fold != fold]
        names, weights = trained([rows[place] for place in kept], [features[place] for place in kept])
        places = {name: place for place, name in enumerate(names)}
        whole, units = in_units(np.vstack([weights, np.zeros_like(weights[:1])]))
        models.append(Model(places=places, whole=whole, units=units, facts={}))
    return models


def scored(models: Sequence[Model], rows: Sequence[Labels]) -> list[Score]:
    """Returns the whole pipeline's score of each headline by the model that did not learn from its day."""
    scores: list[Score | None] = [None] * len(rows)
    for fold, own in enumerate(models):
        at = [place for place, row in enumerate(rows) if row.fold == fold]
        texts = [ScoreInput(rows[place].title, "", rows[place].language) for place in at]
        for place, score in zip(at, score_texts(texts, own, None), strict=True):
            scores[place] = score
    return [score for score in scores if score is not None]


def measured(rows: Sequence[Labels], scores: Sequence[Score]) -> list[str]:
    """Returns lines of figures: macro-F1, F1, recall and precision of the signs, share of opposite signs; F1 of yes."""
    lines = []
    for head in SIGNED:
        pairs = [(row.heads[head], sign(getattr(score, head))) for row, score in zip(rows, scores, strict=True)]
        figures = classes(pairs)
        parts = [f"{head:13} macro-F1 {figures['macro_f1']:.3f}"]
        for way in (-1, 1):
            hit = sum(label == said == way for label, said in pairs)
            labelled, found = (sum(pair[side] == way for pair in pairs) for side in (0, 1))
            f1 = figures["f1"].get(str(way), 0.0)
            parts.append(
                f"{way:+d}: F1 {f1:.2f} recall {hit / max(1, labelled):.2f} precision {hit / max(1, found):.2f}"
            )
        polar = sum(label != 0 for label, _ in pairs)
        lines.append("  ".join((*parts, f"opposite {figures['wrong_signs'] / max(1, polar):.1%}")))
    for head in FLAGS:
        said = [score.relevance > 0 if head == "relevance" else getattr(score, head) for score in scores]
        figures = classes([(row.heads[head] == 1, yes) for row, yes in zip(rows, said, strict=True)])
        lines.append(f"{head:13} F1 of yes {figures['f1'].get('True', 0.0):.3f}")
    return lines


def main(paths: Sequence[str]) -> int:
    """Measures and prints; returns the exit code."""
    models = fold_models(read_labels())
    for path in (*(LABELS / name for name in FILES), *map(Path, paths)):
        rows = read_labels([path])
        scores = scored(models, rows)
        for language in sorted({row.language for row in rows}):
            at = [place for place, row in enumerate(rows) if row.language == language]
            lines = measured([rows[place] for place in at], [scores[place] for place in at])
            sys.stdout.write(f"{path.name} {language}, {len(at):,}\n" + "".join(f"  {line}\n" for line in lines))
        sys.stdout.flush()
    for line in by_vintage(models, read_labels([LABELS / FILES[0]])):
        sys.stdout.write(f"{line}\n")
    return 0


def by_vintage(models: Sequence[Model], rows: Sequence[Labels]) -> list[str]:
    """Returns lines of figures of vintages on the English news after their days, the five folds beside them."""
    later = [row for row in rows if row.day > _LATER and row.language == "en"]
    texts = [ScoreInput(row.title, "", row.language) for row in later]
    made = {vintage: score_texts(texts, model(vintage), date.fromisoformat(vintage)) for vintage in VINTAGES[:3]}
    lines = [f"English news after {_LATER}, {len(later):,}"]
    for name, scores in {**made, "five folds": scored(models, later)}.items():
        lines += [f"  {name:12} {line}" for line in measured(later, scores)[: len(SIGNED)]]
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
