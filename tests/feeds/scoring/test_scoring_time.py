"""Bounded time: no pattern of the scorer, and no pattern of its lists, explodes on text made to hurt it."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
import tomllib
from typing import Any

import pytest
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

import feeds.scoring
from feeds.scoring import score
from feeds.scoring.lists import DATA, names
from feeds.scoring.matching import Matcher
from feeds.scoring.phrases import LISTS, matcher
from feeds.scoring.rules import rule_book
from feeds.scoring.words import split

RATIO = 3.3  # time of 2n over time of n: 2 is linear, 4 quadratic
TOO_QUICK = 0.01  # seconds of the processor below which a ratio is noise


def seconds(work, text: str) -> float:
    """The best of three."""
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        work(text)
        best = min(best, time.process_time() - started)
    return best


def explodes(work, unit: str, length: int) -> bool:
    """Whether twice the text takes far more than twice the time, in two goes."""
    one, two = (unit * (size // len(unit) + 1) for size in (length, 2 * length))
    return all((slow := seconds(work, two)) > TOO_QUICK and slow > RATIO * seconds(work, one) for _ in range(2))


def regular_expressions() -> dict[str, re.Pattern[str]]:
    """Every one of the scoring package: in its modules, behind its cached functions, in its lists."""
    found = {}
    for info in pkgutil.iter_modules(feeds.scoring.__path__):
        module = importlib.import_module(f"feeds.scoring.{info.name}")
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                found[f"{info.name}.{name}"] = value
        if hasattr(module, "_regex"):
            found[f"{info.name}._regex()"] = module._regex()
    return found | {f"veto of {each.name}": each.veto for each in names() if each.veto is not None}


def attacks(pattern: str) -> set[str]:
    """What a pattern's own words and classes make, repeated: nearly a match, again and again."""
    words = re.findall(r"[^\W\d_]{2,}", re.sub(r"\\[a-zA-Z]", " ", pattern))
    letters = {" ", "a", "A", "1", "1.", "a-", "a'", "a.", "-", "?", "? ", " x", "$1", "\t ", "é"}
    return {*letters, *(f"{word} " for word in words[:12]), *words[:3], " ".join(words[:6]) + " "}


@pytest.mark.parametrize("name", sorted(regular_expressions()))
def test_no_regular_expression_explodes(name):
    """Found by looking through the package, so that a new one is covered: 8,000 and 16,000 characters."""
    regex = regular_expressions()[name]

    def work(text: str) -> None:
        sum(1 for _ in regex.finditer(text))

    assert [unit for unit in attacks(regex.pattern) if explodes(work, unit, 8_000)] == []


def listed() -> list[str]:
    """Every pattern of several words in the lists, in plain words: `scal* back` is "scal back"."""
    found: set[str] = set()

    def collect(value) -> None:
        if isinstance(value, str) and 3 < len(value) < 120 and " " in value:
            plain = [word.split("|")[0].strip("*()?") for word in value.split() if not word.startswith("~")]
            found.add(" ".join(plain) + " ")
        elif isinstance(value, dict | list):
            for each in value.values() if isinstance(value, dict) else value:
                collect(each)

    for path in sorted(DATA.glob("*.toml")):
        collect(tomllib.loads(path.read_text(encoding="utf-8")))
    return sorted(found)


def test_no_pattern_of_the_lists_explodes(monkeypatch):
    """Each pattern of several words and its first word over 900 characters; the slowest over twice as many too.

    Without vaderSentiment's own analyzer, whose time grows with the square of the words (the next test bounds it).
    """
    monkeypatch.setattr(SentimentIntensityAnalyzer, "polarity_scores", lambda _, __: {"compound": 0.0})

    def work(text: str, language: str = "en") -> None:
        score(text, language=language)

    work("Nvidia falls")
    patterns = listed()
    assert len(patterns) > 300
    units = {unit for each in patterns for unit in (each, each.split(" ")[0] + " ")}
    slow = []
    for unit in sorted(units):
        started = time.process_time()
        work(unit * (900 // len(unit)), language="de" if set(unit) & set("äöüß") else "en")
        slow.append((time.process_time() - started, unit))
    worst = [unit for _, unit in sorted(slow, reverse=True)[:12]]
    assert [unit for unit in worst if explodes(lambda text: work(text, language="en"), unit, 900)] == []


def test_the_longest_title_bounds_what_the_package_takes():
    """The worst unit found, to the cut at 2,000 characters: a megabyte of it takes what 2,000 characters take."""
    longest = "% cut " * 400
    assert seconds(score, longest * 400) < 3 * seconds(score, longest)


@pytest.mark.parametrize("name", ["disruption.toml", "reaction.toml", "en", "de"])
def test_looking_for_patterns_takes_time_in_proportion_to_the_text(name):
    """The first words of all patterns of a list, in a row and repeated: nearly a match at every word."""
    patterns: Matcher[Any] = matcher(name, None) if name in LISTS else rule_book(name, None).matcher
    firsts = list(patterns.firsts())
    assert len(firsts) > 50

    def work(text: str) -> None:
        words = split(text).words
        for index in range(len(words)):
            patterns.at(words, index)

    units = [" ".join(firsts[start : start + 40]) + " " for start in range(0, len(firsts), 40)]
    assert [unit for unit in units if explodes(work, unit, 4_000)] == []


@pytest.mark.parametrize(
    "text",
    ["", "\x00\x07\x1b[31m", "\u202eneg\u202c", "שוק המניות צונח", "😀" * 600, "<p>Nvidia&nbsp;falls</p>&#39;", "a" * 1_000_000,
     "Nvidia falls " * 80_000, "\ud800", "." * 5_000, "-" * 5_000, "a-" * 2_000, "$1." * 2_000],
)  # fmt: skip
def test_odd_text_is_scored_or_rejected_and_never_more_than_a_title_is_looked_at(text):
    """Nothing raises; a megabyte takes no longer than its first 2,000 characters, but for copying."""
    scored = score(text)
    assert -1 <= scored.tone <= 1
    assert score(text[:2_000]) == scored
