"""Scores headlines, each in its language; a short one whose feed states none in that of the feed's other items.

Of 4,000 English headlines cut to three words, one in seven is taken for another language than English or German where
none is stated; cut to six words, one in a hundred. Of shorter ones two things decide, in this order:

1. the other items of the same feed that were known at that moment, or before it: the language of more than half of
   those that state theirs or are long enough to tell;
2. a known company: a title in plain letters that names one and is taken for neither English nor German is English.

What becomes known later decides nothing, and no order of headlines either.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
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


def score_as_stated(headlines: Sequence[Headline], scorer: Scorer, as_of: date | None) -> dict[Headline, Score]:
    """Scores headlines in the languages that they state."""
    texts = [ScoreInput(each.title, each.summary, each.language) for each in headlines]
    return dict(zip(headlines, scorer.scores(texts, as_of), strict=True))


def score_headlines(
    headlines: Iterable[Headline],
    scorer: Scorer,
    lexicon_as_of: date | None,
    assumed_delay: timedelta,
    made: Mapping[Headline, Score] | None = None,
) -> dict[Headline, tuple[Headline, Score]]:
    """Scores headlines.

    Args:
        headlines: In any order.
        scorer: What scores them.
        lexicon_as_of: Leaves out words learned after that day.
        assumed_delay: From the claim to the moment at which a headline that nobody saw was known.
        made: Scores that are made already, of headlines that are not `is_open`.

    Returns:
        For each headline itself, with the language in which it was scored where it states none and another thing
        decided, and its score.
    """
    every = list(dict.fromkeys(headlines))
    scores = dict(made or {})
    new = [each for each in every if each not in scores and not is_open(each)]
    scores.update(score_as_stated(new, scorer, lexicon_as_of))
    short = _with_languages([each for each in every if is_open(each)], scores, assumed_delay)
    said = score_as_stated(list(short.values()), scorer, lexicon_as_of)
    doubtful = [each for each in short.values() if not each.language and _maybe_english(each, said[each])]
    english = [replace(each, language="en") for each in doubtful]
    for own, each, score in zip(
        doubtful, english, score_as_stated(english, scorer, lexicon_as_of).values(), strict=True
    ):
        if score.entities:
            short[replace(own, language="")] = each
            said[each] = score
    return {each: (each, scores[each]) if each in scores else (short[each], said[short[each]]) for each in every}


def _maybe_english(headline: Headline, score: Score) -> bool:
    letters = filter(str.isalpha, headline.title)
    return score.language not in _SCORED and all(letter.isascii() for letter in letters)


def _with_languages(
    short: Sequence[Headline], scores: Mapping[Headline, Score], delay: timedelta
) -> dict[Headline, Headline]:
    """Gives each short headline the language of more than half of the others in its feed that were known by then."""
    wanted = {each.feed for each in short}
    known: defaultdict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for head, score in scores.items():
        if head.feed in wanted:
            known[head.feed].append((head.known_at(delay), score.language))
    found: dict[Headline, Headline] = {}
    for feed in wanted:
        earlier = sorted(known[feed])
        counts: Counter[str] = Counter()
        place = 0
        for each in sorted((each for each in short if each.feed == feed), key=lambda head: head.known_at(delay)):
            moment = each.known_at(delay)
            while place < len(earlier) and earlier[place][0] <= moment:
                counts[earlier[place][1]] += 1
                place += 1
            language, most = max(counts.items(), key=lambda pair: pair[1], default=("", 0))
            found[each] = replace(each, language=language) if 2 * most > counts.total() else each
    return found
