"""The terminal report fits a terminal and says what the prices say."""

from __future__ import annotations

import pytest

from backtests import episode_names, load_episode, replay
from backtests.report.text.run_report import claim_rows, text_report


@pytest.mark.parametrize("name", episode_names())
def test_no_line_is_wider_than_100_columns(name):
    """Whatever was reported, in every episode that ships."""
    episode = load_episode(name)
    text = text_report(replay(episode, ["shock", "buy-hold"]), episode.title)
    assert [line for line in text.splitlines() if len(line) > 100] == []


def test_a_rank_is_printed_as_a_rank_and_money_with_its_unit():
    """Nvidia fell to rank 3 and lost 593 bn US dollars on 27 January 2025 (both reported, both measured)."""
    rows = [row for row in claim_rows(replay(load_episode("deepseek-2025"), "buy-hold")) if row[0] == "NVDA"]
    assert [row[2] for row in rows] == ["−16.97 %", "−592.7 bn USD", "rank 3"]
