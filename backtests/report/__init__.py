"""A `Result` as text for a terminal, as files, and as one offline page.

A finished run comes in, texts go out. Nothing here computes a result, and nothing reads the clock or the network.
"""

from __future__ import annotations

from backtests.records.run_card import run_card, to_toml
from backtests.report.text.run import audit_line, text_report

__all__ = ["audit_line", "run_card", "text_report", "to_toml"]
