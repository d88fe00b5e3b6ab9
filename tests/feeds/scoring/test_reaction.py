"""Reports of price moves, with or without their cause."""

from __future__ import annotations

import pytest

from feeds.scoring import score
from tests.feeds.scoring.test_disruption import told


@pytest.mark.parametrize("mark", ["0", "1"])
def test_a_report_of_a_price_move_is_told_from_other_news(mark):
    """Shares, indices, currencies and companies that leap; not profits, forecasts, questions or lost law suits."""
    titles = told("reaction_headlines.txt", mark)
    assert [title for title in titles if score(title).reaction != (mark == "1")] == []


@pytest.mark.parametrize(
    ("title", "cause"),
    [
        ("Nvidia shares plunge 17%", False),
        ("Nvidia shares plunge after export ban", True),
        ("Chip stocks sink as cheap model spooks investors", True),
        ("Dax schließt im Minus", False),
        ("Dax fällt wegen neuer Zölle", True),
    ],
)
def test_a_cause_is_named_or_not(title, cause):
    """What links a move to something else."""
    scored = score(title)
    assert (scored.reaction, scored.cause) == (True, cause)
