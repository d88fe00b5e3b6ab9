"""Draws the news over the price: every headline about AI when it was known, and the price that could be traded.

A price line is drawn in real time: solid from a session's open to its close, dotted over the hours between, so
that a gap looks like what it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

from backtests.records.record import RunRecord
from backtests.report.page import svg, years
from backtests.report.page.markup import Markup, esc, folded, link_attributes, section, table, title_of
from backtests.report.page.what_happened import moves
from backtests.report.text.table import number

MOST = 1500  # headlines drawn, the strongest first; the rest is counted
Row = dict[str, Any]


def headlines(record: RunRecord) -> tuple[list[Row], int]:
    """Returns headlines about AI in the order they became known, and how many more there are than can be drawn."""
    used = [row for row in record.tables["scores"].records() if row["used"]]
    strongest = sorted(used, key=lambda row: (-abs(row["sentiment"] * row["relevance"]), row["known_at"], row["id"]))
    most = years.DRAWN if years.is_long(record.document["window"]["sessions"]) else MOST
    key = record.document["key_session"]
    drawn = [*strongest[:most], *(row for row in strongest[most:] if row["session"] == key)]
    kept = sorted(drawn, key=lambda row: (row["known_at"], row["id"]))
    return kept, len(used) - len(kept)


def _stamp(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def kind_of(row: Row) -> str:
    """Says whether a headline builds up demand for AI (`up`), undercuts it (`down`), or neither (`flat`)."""
    value = row["sentiment"] * row["relevance"]
    return "up" if value > 0.05 else "down" if value < -0.05 else "flat"


def what(row: Row) -> str:
    """Says whether a headline is news, a report of a price move, or a move with its cause."""
    return "move and its cause" if row["reaction"] and row["cause"] else "price move" if row["reaction"] else "news"


def _shape(x: float, y: float, row: Row) -> str:
    hollow = " hollow" if row["reaction"] else ""
    kind = kind_of(row)
    if kind == "flat":
        return f'<circle cx="{svg.px(x)}" cy="{svg.px(y)}" r="4" class="dot flat{hollow}"/>'
    tip = -6 if kind == "up" else 6
    points = f"{svg.px(x)},{svg.px(y + tip)} {svg.px(x - 6)},{svg.px(y - tip)} {svg.px(x + 6)},{svg.px(y - tip)}"
    return f'<polygon points="{points}" class="dot {kind}{hollow}"/>'


def _point(index: int, row: Row, x: float, y: float) -> str:
    label = (
        f"{row['title']} – {row['source']}, known {row['known_at'][:16].replace('T', ' ')} UTC, "
        f"disruption {number(row['sentiment'])}, first session {row['session']}"
    )
    attributes = link_attributes(row["link"]) or ' role="img" tabindex="0"'
    language = f' lang="{esc(row["language"])}"' if row["language"] else ""
    return f'<a class="pt" data-i="{index}"{attributes} aria-label="{esc(label)}"{language}>{_shape(x, y, row)}</a>'


Point = tuple[float, float]  # seconds since 1970, price
Days = list[tuple[Point, Point]]  # a symbol's sessions: open and close


def _prices(record: RunRecord, times: Sequence[Row]) -> dict[str, Days]:
    """Places every symbol's opens and closes in time."""
    stamps = {row["session"]: (_stamp(row["opens"]), _stamp(row["closes"])) for row in times}
    found: dict[str, Days] = {}
    for symbol, session, opened, _, _, close in record.tables["bars"].rows:
        if session in stamps:
            start, end = stamps[session]
            found.setdefault(symbol, []).append(((start, opened), (end, close)))
    return found


def _symbols(record: RunRecord) -> list[str]:
    """Lists the symbols whose price may be chosen: the first claimed one, then by move in the key session."""
    rows = moves(record, record.document["key_session"])
    claimed = [row["symbol"] for row in record.document["claims"]]
    order = [each[0] for each in sorted(rows, key=lambda each: (each[0] not in claimed, -abs(each[4])))]
    first = [symbol for symbol in claimed[:1] if symbol in order]
    return first + [symbol for symbol in order if symbol not in first]


def _price_group(prices: Days, span: tuple[float, float], x: svg.Scale, box: tuple[float, float, float, float]) -> str:
    left, right, top, bottom = box
    shown = [each for each in prices if each[1][0] >= span[0] and each[0][0] <= span[1]]
    if not shown:
        return svg.text((left + right) / 2, (top + bottom) / 2, "no prices in this span", "tick", "middle")
    values = [point[1] for each in shown for point in each]
    pad = (max(values) - min(values)) * 0.08 or 1.0
    y = svg.scale(min(values) - pad, max(values) + pad, bottom, top)
    parts = []
    for tick in svg.ticks(min(values), max(values), 4):
        parts += [
            svg.line(left, y(tick), right, y(tick), "grid"),
            svg.text(left - 5, y(tick) + 4, f"{tick:,.6g}", "tick", "end"),
        ]
    if years.is_long(len(shown)):
        closes = [shown[week[-1]][1] for week in years.weeks([_day(each) for each in shown])]
        return "".join([*parts, svg.polyline([(x(moment), y(price)) for moment, price in closes], "weeks")])
    for before, after in pairwise(shown):
        parts.append(svg.line(x(before[1][0]), y(before[1][1]), x(after[0][0]), y(after[0][1]), "night"))
    for opened, closed in shown:
        kind = "fell" if closed[1] < opened[1] else "rose"
        parts.append(svg.line(x(opened[0]), y(opened[1]), x(closed[0]), y(closed[1]), f"day {kind}"))
        if right - left > 500 or len(shown) < 8:
            parts.append(f'<circle cx="{svg.px(x(opened[0]))}" cy="{svg.px(y(opened[1]))}" r="2.5" class="open-dot"/>')
    return "".join(parts)


def _day(session: tuple[Point, Point]) -> str:
    return datetime.fromtimestamp(session[0][0], UTC).date().isoformat()


def _days(start: float, end: float) -> list[datetime]:
    first = datetime.fromtimestamp(start, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    count = int((end - start) / 86400) + 2
    return [day for n in range(count) if start <= (day := first + timedelta(days=n)).timestamp() <= end]


def _open_hours(
    key: str, times: Sequence[Row], span: tuple[float, float], x: svg.Scale, box: tuple[float, float]
) -> Iterator[str]:
    """Shades each session; in years the key session alone."""
    (start, end), (top, bottom) = span, box
    inside = sum(start <= _stamp(time["opens"]) <= end for time in times)
    for time in times:
        if years.is_long(inside) and time["session"] != key:
            continue
        opened, closed = _stamp(time["opens"]), _stamp(time["closes"])
        if closed >= start and opened <= end:
            kind = "session key-session" if time["session"] == key else "session"
            x1, x2 = x(max(opened, start)), x(min(closed, end))
            yield svg.rect(x1, top, x2 - x1, bottom - top, kind)


def _calendar(span: tuple[float, float], x: svg.Scale, box: tuple[float, float, float], width: float) -> Iterator[str]:
    """Draws a tick for each day, or month of years, and as many dates as there is room for."""
    left, right, bottom = box
    by_month = span[1] - span[0] > years.DAYS * 86400
    days = years.months(*span) if by_month else _days(*span)
    every = max(1, round(len(days) / ((right - left) / (92 if width > 500 else 62))))
    if by_month:
        every = next((each for each in (1, 3, 6) if each >= every), 12 * -(-every // 12))
    for index, day in enumerate(days, days[0].year * 12 + days[0].month - 1 if by_month and days else 0):
        place = x(day.timestamp())
        yield svg.line(place, bottom, place, bottom + 4, "zero")
        if index % every == 0 and place < right - (60 if by_month else 30):
            words = f"{day:%a} {day.day} {day:%b}" if width > 500 else f"{day.day} {day:%b}"
            words = f"{day:%b %Y}" if by_month else words
            yield svg.text(place + 2, bottom + 15, words, "tick")


def _chart(
    key: str,
    rows: Sequence[Row],
    times: Sequence[Row],
    symbols: Sequence[str],
    prices: Mapping[str, Days],
    span: tuple[float, float],
    about: str,
    width: float,
) -> Markup:
    start, end = span
    left, right, top, middle, bottom = 44.0, width - 8, 20.0, 178.0, 352.0
    x = svg.scale(start, end, left, right)
    y = svg.scale(-1.08, 1.08, bottom, middle + 30)
    parts = [*_open_hours(key, times, span, x, (top, bottom)), *_calendar(span, x, (left, right, bottom), width)]
    for number_, symbol in enumerate(symbols):
        group = _price_group(prices.get(symbol, []), span, x, (left, right, top + 6, middle))
        parts.append(f'<g class="price{"" if number_ == 0 else " off"}" data-symbol="{esc(symbol)}">{group}</g>')
    for value, words in ((1, "builds up"), (0, "0"), (-1, "undercuts")):
        parts.append(svg.line(left, y(value), right, y(value), "zero" if value == 0 else "grid"))
        if value:
            parts.append(svg.text(left + 2, y(value) + -4, f"{number(value, 0)} {words} demand for AI", "strip"))
    parts.append(svg.text(left - 5, y(0) + 4, "0", "tick", "end"))
    points = [
        _point(index, row, x(_stamp(row["known_at"])), y(row["sentiment"] * row["relevance"]))
        for index, row in enumerate(rows)
        if start <= _stamp(row["known_at"]) <= end
    ]
    parts.append(f'<g class="points">{"".join(points)}</g>')
    label = f"{about}. {len(points)} headlines; arrow keys move between them, Enter opens one."
    return Markup(
        f'<svg viewBox="0 0 {svg.px(width)} {svg.px(bottom + 22)}" class="timeline" role="group" '
        f'aria-label="{esc(label)}">'
        f"{''.join(parts)}</svg>"
    )


def _spans(record: RunRecord, times: Sequence[Row]) -> list[tuple[str, tuple[float, float]]]:
    """Returns the spans to draw: the days around the key session, and the whole window."""
    hour = 3600.0
    whole = (_stamp(times[0]["opens"]) - hour, _stamp(times[-1]["closes"]) + hour)
    key = record.document["key_session"]
    row = next((index for index, time in enumerate(times) if time["session"] == key), 0)
    spans = [("The whole window", whole)]
    if row:
        after = times[min(row + 1, len(times) - 1)]
        near = (_stamp(times[row - 1]["opens"]) - 3 * hour, _stamp(after["closes"]) + hour)
        spans.insert(0, (f"From the session before {key} to the session after it", near))
    return spans


def tooltips(rows: Sequence[Row]) -> Markup:
    """Writes what the page's script shows of each headline; `<` cannot end the block early."""
    facts = [
        {
            "title": row["title"],
            "lang": row["language"],
            "meta": f"{row['source'] or 'unknown source'} · known {row['known_at'][:16].replace('T', ' ')} UTC",
            "score": f"disruption {number(row['sentiment'])} · relevance {row['relevance']:.2f} · "
            f"tone {number(row['tone'])}",
            "words": row["features"] or "no word counted",
            "session": f"{what(row)}; may act from the session of {row['session']}",
        }
        for row in rows
    ]
    text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
    safe = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(f'<script type="application/json" id="headlines">{safe}</script>')


def news_table(rows: Sequence[Row]) -> Markup:
    """Lists the headlines of the timeline as a table."""
    head = ("known (UTC)", "headline", "source", "disruption", "tone", "kind", "words", "may act from")
    return table(
        head,
        [
            (
                row["known_at"][:16].replace("T", " "),
                title_of(row["title"], row["link"], row["language"]),
                row["source"],
                number(row["sentiment"]),
                number(row["tone"]),
                what(row),
                row["features"] or "–",
                row["session"],
            )
            for row in rows
        ],
        "Headlines about AI; scores in [−1, 1]",
        wide=1,
    )


_LEGEND = (
    '<p class="legend">'
    '<span class="item"><svg viewBox="0 0 14 14" class="k" aria-hidden="true">'
    '<polygon points="7,1 1,13 13,13" class="dot up"/></svg>builds up demand for AI</span> '
    '<span class="item"><svg viewBox="0 0 14 14" class="k" aria-hidden="true">'
    '<polygon points="7,13 1,1 13,1" class="dot down"/></svg>undercuts it</span> '
    '<span class="item"><svg viewBox="0 0 14 14" class="k" aria-hidden="true">'
    '<circle cx="7" cy="7" r="4" class="dot flat"/></svg>neither; hollow: reports a price move.</span> '
    "{lines}</p>"
)
_LINES = {
    False: "Shaded: the exchange is open. Dotted: it is shut.",
    True: "Line: weekly closes. In the shorter span shaded: the exchange is open; dotted: it is shut.",
}


def _first(record: RunRecord) -> str:
    """Names what a headline acts at in this run."""
    trading = record.document.get("trading", {})
    if trading.get("bars", "daily") != "daily":
        return f"the first bar of {trading['bars']}"
    return {"open": "the first open", "close": "the first close"}.get(
        trading.get("auctions", "open"), "the first auction"
    )


def timeline(record: RunRecord) -> Markup:
    """Draws the section of news and prices."""
    rows, more = headlines(record)
    times = record.tables["sessions"].records()
    symbols = _symbols(record)
    if not times or not symbols:
        return Markup("")
    options = "".join(f'<option value="{esc(symbol)}">{esc(symbol)}</option>' for symbol in symbols)
    parts = [
        f'<p class="controls"><label for="symbol">Price of </label><select id="symbol">{options}</select></p>',
        _LEGEND.format(lines=_LINES[years.is_long(len(times))]),
    ]
    key, prices = record.document["key_session"], _prices(record, times)
    for name, span in _spans(record, times):
        drawn = svg.both(partial(_chart, key, rows, times, symbols, prices, span, name))
        parts.append(f"<figure><h3>{esc(name)}</h3>{''.join(drawn)}</figure>")
    if years.is_long(len(times)):
        used = [row for row in record.tables["scores"].records() if row["used"]]
        parts.append(f"<h3>Headlines by month, the {years.OF_A_MONTH} strongest of each</h3>")
        parts += years.by_month(used, lambda row: abs(row["sentiment"] * row["relevance"]), news_table)
    else:
        parts.append(folded(f"The {len(rows)} headlines as a table", news_table(rows)))
    if more:
        parts.append(f'<p class="note">{more} more headlines about AI are not drawn; scores.csv holds them.</p>')
    heads = record.document["headlines"]
    lead = (
        f"Of {heads['total']} headlines {len(rows) + more} are about AI and its supply chain, {heads['used']} of them "
        "in the window or the 30 days before it. Each stands where it "
        f"was known, at its score for AI-disruption sentiment; it may act only from {_first(record)} that leaves time "
        "for an order."
    )
    return section("news", "The news over the price", lead, *parts, tooltips(rows))
