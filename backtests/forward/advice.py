"""Tells what was decided for the coming session, for a terminal, as JSON and as a table of orders."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from backtests.engine.news import News
from backtests.episodes.episode import Episode
from backtests.forward.coming import Coming, ended, last_bar
from backtests.forward.decide import Decision, headline_row, headlines_for
from backtests.report.text.table import grid, number, wrapped

_SILENT = timedelta(days=1)  # a feed that no poll has reached for so long is named
_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Holds what was decided for the coming session, and on what."""

    universe: str
    coming: Coming
    decisions: tuple[Decision, ...]
    news: News
    last_price: date
    stale: tuple[str, ...]  # what is older than it should be, one line each

    def document(self) -> dict[str, Any]:
        """Returns what `--json` prints."""
        coming = self.coming
        return {
            "universe": self.universe,
            "at": coming.at.isoformat(),
            "session": coming.session.isoformat(),
            "opens": coming.opens.isoformat(),
            "deadline": coming.deadline.isoformat(),
            "known_by": coming.known_by.isoformat(),
            "last_price": self.last_price.isoformat(),
            "scorer": self.news.scorer,
            "strategies": [
                {
                    "label": each.label,
                    "waits_for": each.waits_for or None,
                    "equity": each.equity,
                    "targets": dict(each.targets),
                    "changed": [{"symbol": s, "before": before, "now": now} for s, before, now in each.changed],
                    "orders": [{"symbol": o.symbol, "shares": o.shares, "last_close": o.price} for o in each.orders],
                }
                for each in self.decisions
            ],
            "headlines": [headline_row(item) for item in headlines_for(self.news, coming.row)],
            "stale": list(self.stale),
        }

    def text(self) -> str:
        """Returns it for a terminal, at most 100 columns wide."""
        coming = self.coming
        lines = [
            *wrapped(
                f"{self.universe}: for the open of {coming.session}, {coming.opens:%H:%M} UTC; orders in by "
                f"{coming.deadline:%m-%d %H:%M} UTC"
            ),
            *wrapped(
                f"decided at {coming.at:%Y-%m-%d %H:%M:%S} UTC on prices until {self.last_price} and headlines known "
                f"by {coming.known_by:%m-%d %H:%M:%S} UTC, scored by {self.news.scorer}"
            ),
            *(f"STALE {line}" for each in self.stale for line in wrapped(each)),
            "",
            *grid(("strategy", "targets", "changed", "orders", "gross", "net"), [*map(_row, self.decisions)]),
        ]
        for each in self.decisions:
            if each.waits_for:
                lines += ["", f"{each.label}: decides only after {each.waits_for} of {coming.session}"]
            elif each.changed or each.orders:
                lines += ["", f"{each.label} (equity {number(each.equity, 0, sign=False)} US dollars)"]
                lines += [
                    "  " + line for line in grid(("symbol", "before", "now", "shares", "last close"), _rows(each))
                ]
        found = headlines_for(self.news, coming.row)
        lines += ["", f"Headlines about AI that can first be traded at this open: {len(found)}"]
        for item in found[:_SHOWN]:
            lines += wrapped(
                f"{item.known_at:%m-%d %H:%M}  {number(item.score.sentiment)}  {item.headline.title}"
                f" [{'; '.join(item.score.features)}]"
            )
        more = len(found) - _SHOWN
        return "\n".join([*lines, *([f"and {more} more (--json)"] if more > 0 else [])]) + "\n"

    def order_table(self) -> str:
        """Returns the orders as CSV for a broker's import: whole market orders for the opening auction."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("strategy", "session", "symbol", "side", "shares", "type", "good_until"))
        for each in self.decisions:
            for order in each.orders:
                side, size = "buy" if order.shares > 0 else "sell", f"{abs(order.shares):g}"
                row = (each.label, self.coming.session, order.symbol, side, size, "market on open")
                writer.writerow((*row, self.coming.deadline.isoformat()))
        return out.getvalue()


def _row(each: Decision) -> tuple[str, ...]:
    if each.waits_for:
        return (each.label, *["–"] * 5)
    weights = each.targets.values()
    counts = len(each.targets), len(each.changed), len(each.orders)
    sums = number(sum(map(abs, weights)), sign=False), number(sum(weights))
    return (each.label, *map(str, counts), *sums)


def _rows(each: Decision) -> list[tuple[str, ...]]:
    changed = {symbol: (before, now) for symbol, before, now in each.changed}
    orders = {order.symbol: order for order in each.orders}
    rows: list[tuple[str, ...]] = []
    for symbol in dict.fromkeys([*changed, *orders]):
        stands = each.targets.get(symbol, 0.0)
        before, now = changed.get(symbol, (stands, stands))
        order = orders.get(symbol)
        shares = number(order.shares, 0 if order.shares == int(order.shares) else 4) if order else "–"
        close = number(order.price, sign=False) if order else "–"
        rows.append((symbol, number(before, 4), number(now, 4), shares, close))
    return rows


def advice(
    cut: Episode, coming: Coming, news: News, decisions: Sequence[Decision], health: Sequence[Mapping[str, Any]] = ()
) -> Advice:
    """Puts together what was decided and how fresh it is.

    Args:
        cut: The episode until the session before.
        coming: The session decided for.
        news: What was known.
        decisions: Of each strategy.
        health: The archive's, where the news is its.
    """
    last = max(day for symbol in cut.tradable if (day := last_bar(cut, symbol, coming)) is not None)
    return Advice(
        universe=cut.name,
        coming=coming,
        decisions=tuple(decisions),
        news=news,
        last_price=last,
        stale=tuple(_stale(cut, coming, news, health)),
    )


def _stale(cut: Episode, coming: Coming, news: News, health: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [f"{symbol}: bars end on {day}; taken as delisted" for symbol, day in ended(cut, coming).items()]
    newest = max((item.known_at for item in news.items), default=None)
    if newest is None:
        lines.append("no headline at all, in the window or the 30 days before it")
    elif coming.known_by - newest > 2 * _SILENT:
        lines.append(f"the newest headline is of {newest:%Y-%m-%d %H:%M} UTC")
    for row in health:
        if not row["subscribed"]:
            continue
        polled = datetime.fromisoformat(row["last"]) if row["last"] else None
        if polled is None:
            lines.append(f"{row['name']}: never polled")
        elif row["outcome"] not in {"ok", "unchanged"}:
            lines.append(f"{row['name']}: {row['outcome']} at {polled:%Y-%m-%d %H:%M} UTC, {row['failures']} in a row")
        elif coming.at - polled > _SILENT:
            lines.append(f"{row['name']}: not polled since {polled:%Y-%m-%d %H:%M} UTC")
    return lines
