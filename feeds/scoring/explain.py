"""Which words did it: a headline's score taken apart, for people. Pure; the same engines as the score itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from feeds.scoring import LONGEST, score
from feeds.scoring.clauses import asks, bare, main_clause
from feeds.scoring.disruption import read
from feeds.scoring.phrases import LISTS, MARKS
from feeds.scoring.rows import split
from feeds.scoring.rules import Reading, rule_book
from feeds.scoring.tone import words_read


def explain(title: str, *, language: str = "", lexicon_as_of: date | None = None) -> list[str]:
    """Returns lines that say how a headline came to its score.

    Args:
        title: The headline.
        language: What the channel says it is written in, "" for nothing.
        lexicon_as_of: Leaves out words learned after that day.
    """
    scored = score(title, language=language, lexicon_as_of=lexicon_as_of)
    title, detected = bare(title[:LONGEST]), scored.language
    lines = [f"language {detected}" + (f" (declared {language})" if language else "")]
    if detected not in LISTS:
        return [*lines, "rejected: only English and German are scored"]
    reading = read(title, lexicon_as_of)
    lines.append(f"relevance {scored.relevance:.2f}: {_classes(reading, reading.book.subject) or 'no word of AI'}")
    lines += _disruption(reading, scored.sentiment)
    lines += _tone(title, detected, scored.tone, lexicon_as_of)
    moves = Reading(split(title), rule_book("reaction.toml", lexicon_as_of))
    if scored.reaction:
        cause = "names a cause" if scored.cause else "names no cause"
        lines.append(f"reaction: reports a price move ({_classes(moves, -1)}), {cause}")
    for each in scored.entities:
        way = {1: "up", -1: "down", 0: "unsaid"}[each.direction]
        lines.append(f"company {each.symbol}: {way}, salience {each.salience:.2f}")
    return lines


def _classes(reading: Reading, mask: int) -> str:
    """The words that stand in some of the given classes, with those classes."""
    names = {bit: name for name, bit in reading.book.bits.items()}
    found = []
    for place, own in reading.marks:
        held = [name for bit, name in names.items() if own & bit & mask]
        if held:
            found.append(f"{reading.words[place]} = {'/'.join(held)}")
    return ", ".join(found)


def _disruption(reading: Reading, value: float) -> Iterator[str]:
    """The rules that fired, and the words of their classes."""
    yield f"disruption {value:+.2f}"
    for rule, taken_back, asked in reading.fired() if reading.relevance() else ():
        counted = rule.negated if taken_back else rule.value
        mask = 0
        for group in rule.groups:
            mask |= group
        how = "".join((", taken back" if taken_back else "", ", as a question" if asked else ""))
        yield f"  rule {rule.name} ({counted:+.2f}{how}): {_classes(reading, mask)}"


def _tone(title: str, language: str, value: float, as_of: date | None) -> Iterator[str]:
    """Words with a valence, as listed and as they count after negations, boosters and capitals."""
    yield f"tone {value:+.2f}"
    if asks(split(title).words):
        yield "  a question: says nothing"
        return
    marked, features = words_read(title, language, as_of)
    for hit in features:
        phrase = "a phrase, or a compound's head" if hit.word.lower() in MARKS else hit.word
        changed = "" if hit.valence == hit.listed else f", counts {hit.valence:+.2f} here"
        yield f"  {phrase}: {hit.listed:+.1f} of 4{changed}"
    if main_clause(marked) != marked:
        yield "  its main clause decides where whole and part differ in sign"
