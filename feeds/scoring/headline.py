"""How headlines get their scores: a glance says which engines must read each, by the shortest way open to it.

    titles ─► a glance at all ─► language of all ─► tone of all ─► price moves ─► AI disruption, companies ─► scores

Headlines are scored many at a time, engine by engine and not one after the other: an engine that works on in one piece
keeps its code and its lists where the processor finds them soonest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Final

from feeds.scoring.clauses import OPENERS, asks, bare, wishes
from feeds.scoring.disruption import read, sentiment
from feeds.scoring.entities import entities
from feeds.scoring.glance import (
    ACTS,
    ASKS,
    CLASSES,
    DISRUPTION,
    LETTERS,
    NAMES,
    ODD,
    OPENS,
    PHRASE,
    REACTION,
    SHOUTS,
    SUBJECT,
    Mark,
    Piece,
    glance,
    laid_out,
    starts,
)
from feeds.scoring.language import ask, decide
from feeds.scoring.phrases import LISTS, find
from feeds.scoring.reaction import reaction
from feeds.scoring.rows import Row
from feeds.scoring.rules import Reading, rule_book
from feeds.scoring.score import SPEAKS, Entity, Score, ScoreInput, made
from feeds.scoring.shortcuts import phrased_tone, simple_tone
from feeds.scoring.tone import statement_tone
from feeds.scoring.vader import Word

LONGEST: Final = 2_000  # characters looked at; a longer text is no headline
_TOGETHER: Final = 256  # headlines that are read side by side, so few that the processor keeps them at hand
_CLOSELY: Final = ASKS | PHRASE | REACTION | ODD  # with one of them words are looked at again


class _Headline:
    """A headline on its way to its score."""

    __slots__ = (
        "asked", "caused", "declared", "features", "known", "language", "marks", "pairs", "pieces", "place", "reported",
        "row", "seen", "summary", "title", "told", "tone", "votes", "words",
    )  # fmt: skip

    place: int  # among those that are scored
    title: str
    summary: str
    declared: str  # what the channel says it is written in
    pieces: list[str]  # what stands between the title's blanks
    known: list[Piece | None]  # what each of them is
    votes: int  # for languages
    seen: int  # flags of the title
    told: int  # flags of the summary
    words: list[Word]  # English ones that VADER counts
    pairs: int  # of words of patterns that both stand in the title
    row: Row | None  # the title's words, where they are looked at again
    marks: list[Mark]  # of those with which something may begin
    language: str
    tone: float
    features: tuple[str, ...]
    asked: bool  # it is but a question
    reported: bool
    caused: bool


def read_headlines(texts: Sequence[ScoreInput], as_of: date | None) -> list[Score]:
    """Scores headlines; see `feeds.scoring.score`."""
    scores = [_NOTHING] * len(texts)
    unclear: list[_Headline] = []
    for start in range(0, len(texts), _TOGETHER):
        held = _looked_at(texts[start : start + _TOGETHER], start, as_of)
        _read([each for each in held if each.language], scores, as_of)
        unclear += [each for each in held if not each.language]
    if unclear:
        _find_languages(unclear)
        for start in range(0, len(unclear), _TOGETHER):
            _read(unclear[start : start + _TOGETHER], scores, as_of)
    return scores


def _looked_at(texts: Iterable[ScoreInput], place: int, as_of: date | None) -> list[_Headline]:
    """Looks over headlines; their language is "" where words leave it open."""
    look = glance("en", as_of)
    held: list[_Headline] = []
    for title, summary, declared in texts:
        each = _Headline()
        each.place, each.declared = place + len(held), declared
        each.title, each.summary = bare(title[:LONGEST]), summary[:LONGEST]
        each.pieces = each.title.split(" ")
        each.known = look.look_up(each.pieces)
        held.append(each)
    for each in held:  # in a loop of its own, so that the code for new pieces stays at hand
        look.meet(each.pieces, each.known)
    for each in held:
        each.votes, each.seen, each.words, each.pairs = look.sum_up(each.known)
        each.told = 0
        if each.summary:
            votes, each.told, _, _, _ = look.look(each.summary.split(" "))
            each.votes += votes
        each.language = decide(each.votes, (each.seen | each.told) & LETTERS, each.declared)
        each.tone, each.features, each.row = 0.0, (), None
        each.asked = each.reported = each.caused = False
    return held


def _find_languages(held: list[_Headline]) -> None:
    """By py3langid, all at once."""
    found = ask(
        [f"{each.title} {each.summary}" for each in held],
        [(each.seen | each.told) & LETTERS for each in held],
        [each.declared for each in held],
    )
    for each, language in zip(held, found, strict=True):
        each.language = language


def _read(held: list[_Headline], scores: list[Score], as_of: date | None) -> None:
    """Puts the scores of headlines, of which the language is known, in their places."""
    german = [each for each in held if each.language == "de"]
    if german:
        _look_again(german, as_of)
    simple, close = [], german
    for each in held:
        if each.language == "en":
            if each.seen & _CLOSELY or (each.words and each.seen & ACTS):
                close.append(each)
            elif each.words:
                simple.append(each)
    for each in simple:
        seen = each.seen
        each.tone, each.features = simple_tone(
            each.title, each.pieces, each.words, as_of, shouts=bool(seen & SHOUTS), opens=bool(seen & OPENS)
        )
    _read_closely(close, as_of)
    for each in held:
        scores[each.place] = _score(each, as_of) if each.language in LISTS else _nothing(each.language)


def _look_again(held: list[_Headline], as_of: date | None) -> None:
    """Looks over German headlines with the German lists."""
    look = glance("de", as_of).look
    for each in held:
        _, each.seen, _, each.pairs, each.known = look(each.pieces)
        if each.summary:
            _, each.told, _, _, _ = look(each.summary.split(" "))


def _read_closely(held: list[_Headline], as_of: date | None) -> None:
    """Tone and price moves of headlines that may hold more than single words."""
    moving = []
    for each in held:
        row = _row(each)
        seen = each.seen
        if seen & ASKS and asks(row.words):
            each.asked = True
            continue
        phrases: list[int] = []
        if seen & (PHRASE | REACTION):
            phrase, move = glance(each.language, as_of).openers(each.pairs)
            if seen & PHRASE:
                phrases = [place for place, own, opens in each.marks if own & PHRASE or opens & phrase]
            if seen & REACTION:
                moving.append(
                    (each, row, [place for place, own, opens in each.marks if own >= CLASSES or opens & move])
                )
        if phrases or each.words or seen & ODD or each.language == "de":
            each.tone, each.features = _tone(each, row, phrases, as_of)
            if each.tone > 0 and seen & ASKS and wishes(row.words):
                each.tone = 0.0
    for each, row, moves in moving:
        each.reported, each.caused = reaction(row, as_of, moves)


def _row(each: _Headline) -> Row:
    """The words of a title."""
    if each.row is None:
        words, each.marks = laid_out(each.pieces, each.known)
        each.row = Row(each.title, each.pieces, words)
    return each.row


def _tone(each: _Headline, row: Row, places: Sequence[int], as_of: date | None) -> tuple[float, tuple[str, ...]]:
    """The tone of a title that is no question, by the shortest way that what was seen in it allows."""
    seen, language = each.seen, each.language
    found = find(row.words, language, as_of, places) if places else ()
    if language == "de":
        return statement_tone(row, found, language, as_of)
    opens = bool(seen & (OPENS | ODD)) or any(word in OPENERS for _, _, word in found)  # "regardless of": despite
    if found and not seen & (ODD | ACTS):
        counted = [own.word if own is not None else None for own in each.known]
        short = phrased_tone(row, starts(row.pieces, each.known), found, counted, opens=opens)
        if short is not None:
            return short
    if found or seen & ODD:
        return statement_tone(row, found, language, as_of, opens=opens)
    if not each.words:
        return 0.0, ()
    if seen & ACTS:
        return statement_tone(row, (), language, as_of, opens=opens)
    return simple_tone(row.text, row.pieces, each.words, as_of, shouts=bool(seen & SHOUTS), opens=opens)


@lru_cache(maxsize=64)
def _nothing(language: str) -> Score:
    """The score of a headline that says nothing, or is in a language that is not read."""
    return made(language, 0.0, 0.0, 0.0, (), False, False, ())


_NOTHING: Final = _nothing("")


def _score(each: _Headline, as_of: date | None) -> Score:
    """The score of a headline of which tone and price moves are known."""
    if not each.title.strip():
        return _nothing(each.language)
    seen, told, tone, reported = each.seen, each.told, each.tone, each.reported
    if not (seen | told) & (DISRUPTION | NAMES):  # nearly always
        if not each.features and not reported:
            return _nothing(each.language)
        tone = tone if abs(tone) >= SPEAKS else 0.0
        features = tuple([f"tone:{word}" for word in each.features])
        return made(each.language, 0.0, 0.0, tone, (), reported, reported and each.caused, features)
    about = value = implied = 0.0
    rules: tuple[str, ...] = ()
    if (seen | told) & DISRUPTION:
        about, value, implied, rules = _disruption(each, as_of)
    if abs(tone) < SPEAKS and not each.asked:
        tone = implied  # no word has a tone, but what happened has
    named: tuple[Entity, ...] = ()
    if (seen | told) & NAMES:
        texts = each.title if seen & NAMES else "", each.summary if told & NAMES else ""
        named = entities(*texts, each.language, tone, as_of)
    features = (*(f"disruption:{name}" for name in rules), *(f"tone:{word}" for word in each.features))
    return made(each.language, about, value, tone, named, reported, reported and (each.caused or bool(rules)), features)


def _disruption(each: _Headline, as_of: date | None) -> tuple[float, float, float, tuple[str, ...]]:
    """Relevance, sentiment, what it means for the tone, and the rules that did it; a summary counts half."""
    book = rule_book("disruption.toml", as_of)
    about = value = implied = 0.0
    rules: tuple[str, ...] = ()
    if each.seen & DISRUPTION:
        row = _row(each)
        reading = Reading(row, book, [place for place, own, _ in each.marks if own & SUBJECT])
        about = reading.relevance()
        if about:
            value, implied, rules = sentiment(reading)
    if each.told & DISRUPTION and not (about and rules):
        reading = read(each.summary, as_of)
        titled = about
        about = about or reading.relevance() / 2
        if titled and reading.mask & book.matters and not each.reported:
            # newsletters touch on many things; beside a price move a summary tells old causes again
            value, _, rules = sentiment(reading)
            value /= 2  # said only in the summary
    return about, value, implied, rules
