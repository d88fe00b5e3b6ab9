"""Reports of price moves, with or without their cause."""

from __future__ import annotations

import pytest

from feeds.scoring import score
from tests.feeds.scoring.test_disruption import titles_of


@pytest.mark.parametrize(("mark", "right"), [("0", 0.90), ("1", 0.85)])
def test_a_report_of_a_price_move_is_told_from_other_news(mark, right):
    """Shares, indices, currencies and companies that leap; not profits, forecasts, questions or lost law suits."""
    titles = titles_of("reaction_headlines.txt", mark)
    assert sum(score(title).reaction == (mark == "1") for title in titles) >= right * len(titles)


@pytest.mark.parametrize(
    ("title", "cause"),
    [
        ("Nvidia shares plunge 17%", False),
        ("Nvidia shares plunge after export ban", True),
        ("Chip stocks sink as cheap model spooks investors", True),
        ("Dax fällt wegen neuer Zölle", True),
    ],
)
def test_a_cause_is_named_or_not(title, cause):
    """What links a move to something else."""
    scored = score(title)
    assert (scored.reaction, scored.cause) == (True, cause)
