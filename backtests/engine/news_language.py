"""Scores headlines, each in its language; a short one whose feed states none in that of the feed's other items.

Of 4,000 English headlines cut to three words, one in seven is taken for another language than English or German where
none is stated; cut to six words, one in a hundred. Of shorter ones two things decide, in this order:

1. the other items of the same feed that were known at that moment, or before it: the language of more than half of
   those that state theirs or are long enough to tell; where there is none of these, English or German if more than half
   of the short ones are taken for it, each by itself;
2. a known company: a title in plain letters that names one and is taken for neither English nor German is English.

What becomes known later decides nothing, and no order of headlines either.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Final

from feeds.headline import Headline
from feeds.scoring import Score, ScoreInput, Scorer

ENOUGH: Final = 6  # words of title and summary from which they tell the language themselves
_WORD: Final = re.compile(r"[^\W\d_]+")
_SCORED: Final = frozenset(("en", "de"))


def is_open(headline: Headline) -> bool:
    """Returns whether a headline states no language and is too short to tell it."""
    if headline.language:
        return False
    words = _WORD.finditer(f"{headline.title} {headline.summary}")
    return sum(1 for _ in zip(range(ENOUGH), words, strict=False)) < ENOUGH


def score_input(headline: Headline, assumed_delay: timedelta) -> ScoreInput:
    """Returns what a scorer is given of a headline; the delay is that of a headline that nobody saw."""
    return ScoreInput(
        headline.title, headline.summary, headline.language, headline.id, headline.known_at(assumed_delay)
    )


def by_vintage(
    headlines: Iterable[Headline], scorer: Scorer, as_of: date | None, delay: timedelta, start: date
) -> list[tuple[Scorer, list[Headline]]]:
    """Groups headlines by what scores them, of a scorer with vintages: the newest that was over before it could matter.

    That is before the first session, `start`, and for what became known later before its own day. So no decision rests
    on weights that learned from anything later, in years as in weeks.
    """
    vintage = cache(lambda day: scorer.before(day, as_of))
    groups: dict[str, tuple[Scorer, list[Headline]]] = {}
    for each in headlines:
        found = vintage(max(start, each.known_at(delay).date()))
        groups.setdefault(found.label, (found, []))[1].append(each)
    return [groups[name] for name in sorted(groups)]


def score_as_stated(
    headlines: Iterable[Headline], scorer: Scorer, as_of: date | None, delay: timedelta, start: date
) -> dict[Headline, Score]:
    """Scores headlines in the languages that they state, each with its vintage."""
    scores: dict[Headline, Score] = {}
    for vintage, group in by_vintage(headlines, scorer, as_of, delay, start):
        texts = [score_input(each, delay) for each in group]
        scores.update(zip(group, vintage.scores(texts, as_of), strict=True))
    return scores


def score_headlines(
    headlines: Iterable[Headline],
    scorer: Scorer,
    lexicon_as_of: date | None,
    assumed_delay: timedelta,
    made: Mapping[Headline, Score] | None = None,
    *,
    start: date = date.min,
) -> dict[Headline, tuple[Headline, Score]]:
    """Scores headlines.

    Args:
        headlines: In any order.
        scorer: What scores them; of one with vintages each headline's own (`by_vintage`).
        lexicon_as_of: Leaves out words learned after that day.
        assumed_delay: From the claim to the moment at which a headline that nobody saw was known.
        made: Scores that are made already, of headlines that are not `is_open`.
        start: First session that decides on them.

    Returns:
        For each headline itself, with the language in which it was scored where it states none and another thing
        decided, and its score.
    """
    every = list(dict.fromkeys(headlines))
    scores = dict(made or {})
    new = [each for each in every if each not in scores and not is_open(each)]
    scores.update(score_as_stated(new, scorer, lexicon_as_of, assumed_delay, start))
    short = [each for each in every if is_open(each)]
    alone = _alone(short, scorer, lexicon_as_of, assumed_delay, start)
    decided = _decided(short, scores, alone, assumed_delay)
    named = {each: replace(each, language=language) for each, language in decided.items()}
    again = score_as_stated(list(named.values()), scorer, lexicon_as_of, assumed_delay, start)
    found = {each: (each, score) for each, score in scores.items()} | alone
    return found | {own: (each, again[each]) for own, each in named.items()}


def _alone(
    short: Sequence[Headline], scorer: Scorer, as_of: date | None, delay: timedelta, start: date
) -> dict[Headline, tuple[Headline, Score]]:
    """Scores short headlines each by itself: by what it is taken for, or as English where a known company is named."""
    said = score_as_stated(short, scorer, as_of, delay, start)
    doubtful = [each for each in short if said[each].language not in _SCORED and _in_plain_letters(each.title)]
    english = [replace(each, language="en") for each in doubtful]
    named = score_as_stated(english, scorer, as_of, delay, start)
    found = {each: (each, said[each]) for each in short}
    return found | {
        own: (each, named[each]) for own, each in zip(doubtful, english, strict=True) if named[each].entities
    }


def _in_plain_letters(title: str) -> bool:
    return all(letter.isascii() for letter in title if letter.isalpha())


def _decided(
    short: Sequence[Headline],
    scores: Mapping[Headline, Score],
    alone: Mapping[Headline, tuple[Headline, Score]],
    delay: timedelta,
) -> dict[Headline, str]:
    """Returns the languages of those short headlines of which others of their feed, known by then, decide it."""
    wanted = {each.feed for each in short}
    wanted = {each.feed for each in short}
    telling = _known([(each, score) for each, score in scores.items() if each.feed in wanted], delay)
    others = _known([(each, score) for each, (_, score) in alone.items()], delay)
    found = {}
    for each in short:
        moment = each.known_at(delay)
        counts, enough = _by(moment, telling[each.feed]), True
        if not counts:
            counts = _by(moment, others[each.feed])
            counts[alone[each][1].language] -= 1  # not itself
            enough = False  # what short titles are taken for counts where it is a language that is scored
        language, most = max(counts.items(), key=lambda pair: pair[1], default=("", 0))
        if 2 * most > counts.total() and (enough or language in _SCORED):
            found[each] = language
    return found


_Times = dict[str, list[datetime]]  # by language, in order


def _known(items: Iterable[tuple[Headline, Score]], delay: timedelta) -> defaultdict[str, _Times]:
    """Returns when the items of each feed were known, by language."""
    found: defaultdict[str, _Times] = defaultdict(dict)
    for known_at, feed, language in sorted((head.known_at(delay), head.feed, score.language) for head, score in items):
        found[feed].setdefault(language, []).append(known_at)
    return found


def _by(moment: datetime, times: _Times) -> Counter[str]:
    """Counts the items known by a moment."""
    return +Counter({language: bisect_right(known, moment) for language, known in times.items()})
