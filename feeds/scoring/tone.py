"""Tone by vaderSentiment: English with a finance overlay, German with words of its own. The only room that knows VADER.

Phrases, German compounds and separated verbs are replaced by marks of known valence before VADER adds up, since it
knows single words only.
"""

from __future__ import annotations

import copy
import re
from functools import cache
from typing import Any

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from feeds.scoring.lists import load, pattern

_WORD = re.compile(r"[^\W\d_][\w-]*")
_MARK = re.compile(r"\bxx[np]\d+xx\b")


@cache
def _plain() -> Any:
    return SentimentIntensityAnalyzer()


def _mark(valence: float) -> str:
    """A word of that valence, in tenths: xxn26xx is -2.6."""
    return f"xx{'n' if valence < 0 else 'p'}{round(abs(valence) * 10):02d}xx"


_MARKS = {_mark(value / 10): value / 10 for value in range(-40, 41)}


@cache
def _english() -> Any:
    lists = load("tone_en.toml")
    analyzer = copy.copy(_plain())
    analyzer.lexicon = {**_plain().lexicon, **lists["words"], **_MARKS}
    for word in lists["drop"]:
        if word not in lists["words"]:
            analyzer.lexicon.pop(word, None)
    return analyzer


@cache
def _german() -> Any:
    analyzer = copy.copy(_plain())
    analyzer.lexicon = {**load("tone_de.toml")["words"], **_MARKS}
    return analyzer


@cache
def _phrases(name: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((pattern(text, name), f" {_mark(value)} ") for text, value in load(name)["phrases"].items())


@cache
def _compounds() -> tuple[tuple[str, float], ...]:
    return tuple(sorted(load("tone_de.toml")["suffixes"].items(), key=lambda row: -len(row[0])))


@cache
def _german_word(word: str) -> str:
    """What VADER gets to see of a German word: negations and boosters in its own, compounds by their head."""
    lists = load("tone_de.toml")
    lower = word.lower()
    if lower in lists["negations"]:
        return "not"
    if lower in lists["boosters"]:
        return "very"
    if lower in lists["words"]:
        return lower
    for suffix, valence in _compounds():
        if lower.endswith(suffix) and len(lower) > len(suffix) + 1:
            return _mark(valence)
    return f"{lower}_"  # nothing VADER would take for an English negation or booster


def plain_vader(text: str) -> float:
    """Returns unmodified vaderSentiment's compound in [-1, 1]; means nothing on other languages than English."""
    return float(_plain().polarity_scores(text)["compound"])


def tone(text: str, language: str) -> tuple[float, tuple[str, ...]]:
    """Returns the tone in [-1, 1] of an English or German text, and the words and phrases that made it."""
    hits: list[str] = []
    name = "tone_de.toml" if language == "de" else "tone_en.toml"
    for regex, mark in _phrases(name):
        found = regex.search(text)
        if found:
            hits.append(found.group().strip())
            text = regex.sub(mark, text)
    if language == "de":
        text = _WORD.sub(lambda match: match[0] if _MARK.fullmatch(match[0]) else _german_word(match[0]), text)
    analyzer = _german() if language == "de" else _english()
    words = (word.strip(".,;:!?'\"()").lower() for word in text.split())
    hits += [word for word in words if word in analyzer.lexicon and not _MARK.fullmatch(word)]
    return float(analyzer.polarity_scores(text)["compound"]), tuple(hits)
