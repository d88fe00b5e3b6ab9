"""Draws what happened: claims beside prices, and how each symbol's move splits at the open."""

from __future__ import annotations

from backtests.records.record import RunRecord
from backtests.report.page import svg
from backtests.report.page.markup import Markup, esc, figure, folded, section, table
from backtests.report.text.run_report import claim_rows
from backtests.report.text.table import number

_PARTS = ("overnight gap %", "open to close (tradable) %")
CLAIM_HEAD = ("symbol", "reported, and what would confirm it", "verdict", "measured", "close %", *_PARTS)


def moves(record: RunRecord, session: str) -> list[tuple[str, str, float, float, float]]:
    """Splits the move of every traded symbol in a session into overnight gap and open to close.

    Returns:
        (symbol, sector, gap, open to close, close to close), in percent, falls first; the first two compound to the
        third, they do not add.
    """
    bars: dict[str, list[tuple[str, float, float]]] = {}
    for symbol, day, opened, _, _, close in record.tables["bars"].rows:
        bars.setdefault(symbol, []).append((day, opened, close))
    found = []
    for sector, symbols in record.document["sectors"].items():
        for symbol in symbols:
            days = bars.get(symbol, [])
            row = next((index for index, each in enumerate(days) if each[0] == session), 0)
            if row:
                before, (_, opened, close) = days[row - 1][2], days[row]
                gap, tradable, whole = opened / before - 1, close / opened - 1, close / before - 1
                found.append((symbol, sector, gap * 100, tradable * 100, whole * 100))
    return sorted(found, key=lambda each: each[4])


def _bars(rows: list[tuple[str, str, float, float, float]], session: str, width: float) -> Markup:
    step, top, left = 22.0, 26.0, 58.0
    right = width - (60 if width > 500 else 52)
    low = min(0.0, *(min(each[2], each[4]) for each in rows))
    high = max(0.0, *(max(each[2], each[4]) for each in rows))
    x = svg.scale(low, high, left + 6, right)
    height = top + step * len(rows) + 6
    parts = []
    for tick in svg.ticks(low, high, 6 if width > 500 else 4):
        parts += [
            svg.line(x(tick), top - 6, x(tick), height - 4, "zero" if tick == 0 else "grid"),
            svg.text(x(tick), top - 11, f"{number(tick, 0)} %", "tick", "middle"),
        ]
    for index, (symbol, _, gap, _, whole) in enumerate(rows):
        y = top + index * step
        parts += [
            svg.text(left - 4, y + 13, symbol, "label", "end"),
            svg.rect(x(0), y + 3, x(gap) - x(0), 12, "gap"),
            svg.rect(x(gap), y + 6, x(whole) - x(gap), 6, "tradable"),
            svg.line(x(whole), y + 1, x(whole), y + 17, "close-mark"),
            svg.text(width - 2, y + 13, number(whole, 1), "value", "end"),
        ]
    worst = rows[0]
    label = (
        f"Moves of {len(rows)} symbols on {session}. {worst[0]} moved most downward: {number(worst[2])} % overnight, "
        f"{number(worst[3])} % open to close, {number(worst[4])} % by the close. All figures are in the table."
    )
    return svg.drawing(width, height, label, parts)


def happened(record: RunRecord) -> Markup:
    """Draws the section of what happened: moves and claims."""
    session = record.document["key_session"]
    rows = moves(record, session)
    parts: list[str] = []
    if rows:
        legend = (
            '<p class="legend"><span class="key gap"></span>overnight gap (close before to open) '
            '<span class="key tradable"></span>open to close (tradable) '
            '<span class="key close-mark"></span>close</p>'
        )
        drawn = svg.both(lambda width: _bars(rows, session, width))
        caption = f"Percent against the close before {session}. The two parts compound, they do not add."
        figures = table(
            ("symbol", "sector", *_PARTS, "close %"),
            [(symbol, sector, *map(number, (gap, tradable, whole))) for symbol, sector, gap, tradable, whole in rows],
            f"Moves on {session}, percent",
            left=2,
        )
        parts += [legend, figure(caption, *drawn), folded("The figures as a table", figures)]
    claims = claim_rows(record)
    if claims:
        parts += ["<h3>What was reported, and what the prices say</h3>"]
        marked = [
            (
                symbol,
                Markup(f'{esc(said)}<br><small class="criterion">{esc(claim.get("criterion", ""))}</small>'),
                Markup(f'<span class="verdict {esc(verdict.replace(" ", "-"))}">{esc(verdict)}</span>'),
                *figures,
            )
            for (symbol, said, *figures, verdict), claim in zip(claims, record.document["claims"], strict=True)
        ]
        parts += [table(CLAIM_HEAD, marked, "Claims against prices", left=3, wide=1)]
    lead = ""
    if rows:
        mostly = sum(abs(gap) > abs(tradable) for _, _, gap, tradable, _ in rows)
        lead = (
            f"{mostly} of {len(rows)} symbols moved more in the overnight gap than between open and close. An order "
            "for the open gets only what comes after it."
        )
    return section("happened", "What happened", lead, *parts)
