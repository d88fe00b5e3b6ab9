"""Draws strategies beside their baselines: equity, drawdown and exposure of each, on one scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from backtests.records.record import RunRecord
from backtests.report.page import svg, years
from backtests.report.page.markup import Markup, esc, figure, listing, section, table
from backtests.report.text.limits import returns_span
from backtests.report.text.resample_text import samples_lines, samples_note
from backtests.report.text.run_report import (
    MONEY,
    audit_lines,
    borrow_rows,
    legend,
    result_table,
    trouble_lines,
)
from backtests.report.text.table import number

Curve = tuple[list[str], list[float], list[float], list[float]]  # sessions, return %, drawdown %, net exposure


def curves(record: RunRecord) -> dict[str, Curve]:
    """Computes each strategy's return since the start and fall from its peak, in percent, and its net exposure."""
    found: dict[str, Curve] = {each["label"]: ([], [], [], []) for each in record.document["results"]}
    columns = record.tables["equity"].columns
    at = {name: columns.index(name) for name in ("session", "equity", "net")}
    cash = record.config["broker"]["cash"]
    peaks = dict.fromkeys(found, cash)
    for row in record.tables["equity"].rows:
        name, equity = row[0], row[at["equity"]]
        peaks[name] = max(peaks[name], equity)
        sessions, returns, falls, net = found[name]
        sessions.append(row[at["session"]])
        returns.append((equity / cash - 1) * 100)
        falls.append((equity / peaks[name] - 1) * 100)
        net.append(row[at["net"]])
    return found


_LEGEND = (
    '<p class="legend"><span class="key long"></span>long <span class="key short"></span>short; the curve of a '
    "strategy is coloured, that of a baseline is not</p>"
)
_LEFT, _RIGHT = 38.0, 316.0  # of the strips of a panel


def panel(name: str, shown: dict[str, Curve], summary: dict[str, Any], bounds: tuple[float, float]) -> Markup:
    """Draws one strategy's three strips: return with all others faint behind it, drawdown, net exposure."""
    sessions, _, falls, net = shown[name]
    ends = [sessions[0], sessions[-1]] if sessions else ["", ""]
    first, last = ends if ends[0][:4] != ends[1][:4] else (day[5:] for day in ends)
    x = svg.scale(0, max(len(sessions) - 1, 1), _LEFT, _RIGHT)
    kind = "baseline" if summary["baseline"] else "strategy"
    parts = [
        *_returns(name, shown, bounds, x, kind),
        *_falls(falls, x),
        *_net(net, x),
        svg.text(_LEFT, 232, first, "tick"),
        svg.text(_RIGHT, 232, last, "tick", "end"),
        svg.text(_LEFT, 136, "drawdown", "strip"),
        svg.text(_LEFT, 182, "net exposure", "strip"),
    ]
    label = (
        f"{name}: return {number(summary['return_pct'])} %, deepest drawdown {number(summary['max_drawdown_pct'])} %, "
        f"last net exposure {number(net[-1] if net else 0)} of equity."
    )
    title = f"<h3>{esc(name)}{' <small>baseline</small>' if summary['baseline'] else ''}</h3>"
    number_html = f'<p class="big">{number(summary["return_pct"], 1)} %</p>'
    if says := samples_note(summary):
        number_html += f'<p class="note">{says}</p>'
    return Markup(f'<div class="panel {kind}">{title}{number_html}{svg.drawing(320.0, 236, label, parts)}</div>')


def _returns(name: str, shown: dict[str, Curve], bounds: tuple[float, float], x: svg.Scale, kind: str) -> Iterator[str]:
    y = svg.scale(bounds[0], bounds[1], 118, 8)
    for tick in svg.ticks(*bounds, 4):
        yield svg.line(_LEFT, y(tick), _RIGHT, y(tick), "zero" if tick == 0 else "grid")
        yield svg.text(_LEFT - 4, y(tick) + 4, number(tick, 0), "tick", "end")
    for other, curve in shown.items():
        if other != name:
            yield svg.polyline([(x(i), y(v)) for i, v in enumerate(curve[1])], "other")
    yield svg.polyline([(x(i), y(v)) for i, v in enumerate(shown[name][1])], f"mine {kind}")


def _falls(falls: Sequence[float], x: svg.Scale) -> Iterator[str]:
    y = svg.scale(min(*falls, -1.0), 0, 168, 140)
    yield svg.area([(x(i), y(v)) for i, v in enumerate(falls)], y(0), "fall")
    yield svg.line(_LEFT, y(0), _RIGHT, y(0), "zero")
    yield svg.text(_LEFT - 4, 160, number(min(falls), 0), "tick", "end")


def _net(net: Sequence[float], x: svg.Scale) -> Iterator[str]:
    most = max(1.0, *(abs(value) for value in net))
    y = svg.scale(-most, most, 216, 186)
    wide = (_RIGHT - _LEFT) / max(len(net), 1) * 0.7
    if wide < 1:
        held = [(max(value, 0.0), min(value, 0.0)) for value in net]
        yield svg.area([(x(i), y(long)) for i, (long, _) in enumerate(held)], y(0), "long")
        yield svg.area([(x(i), y(short)) for i, (_, short) in enumerate(held)], y(0), "short")
        net = ()
    for index, value in enumerate(net):
        yield svg.rect(x(index) - wide / 2, y(0), wide, y(value) - y(0), "long" if value > 0 else "short")
    yield svg.line(_LEFT, y(0), _RIGHT, y(0), "zero")
    yield svg.text(_LEFT - 4, y(0) + 4, "0", "tick", "end")


def panels(named: Sequence[tuple[str, dict[str, Any]]], shown: dict[str, Curve]) -> Markup:
    """Draws all panels on one scale."""
    values = [value for curve in shown.values() for value in curve[1]] or [0.0]
    bounds = (min(0.0, *values) - 0.5, max(0.0, *values) + 0.5)
    return Markup(
        '<div class="panels">' + "".join(panel(name, shown, summary, bounds) for name, summary in named) + "</div>"
    )


def _weekly(curve: Curve) -> Curve:
    """Thins a curve to weeks: the last session's return and exposure, the deepest fall."""
    sessions, returns, falls, net = curve
    held = years.weeks(sessions)
    return (
        [sessions[week[-1]] for week in held],
        [returns[week[-1]] for week in held],
        [min(falls[week.start : week.stop]) for week in held],
        [net[week[-1]] for week in held],
    )


def strategies(record: RunRecord) -> Markup:
    """Draws the section of strategies and baselines."""
    shown, at = curves(record), "each close"
    if years.is_long(record.document["window"]["sessions"]):
        shown, at = {name: _weekly(curve) for name, curve in shown.items()}, "each week's last close"
    named = [(each["label"], each) for each in record.document["results"]]
    head, (rows,) = result_table(record)
    parts: list[str] = [
        _LEGEND,
        figure(
            "Return in percent of the cash at the start, all on one scale and the others faint behind; below it the "
            f"fall from the peak, and net exposure as a fraction of equity at {at}.",
            panels(named, shown),
        ),
        table(head, rows, f"Returns and drawdowns in percent; {legend(record)}; {MONEY}"),
        *(f'<p class="note">{esc(line)}</p>' for line in samples_lines(record.document["results"])),
    ]
    if "borrow_stress" in record.document:
        parts += ["<h3>What if borrowing cost more</h3>", table(*borrow_rows(record), "Returns by borrow rate")]
    remarks = trouble_lines(record)
    if remarks:
        parts.append(listing(remarks))
    return section("strategies", "Strategies, baselines and benchmark", _compared(record), *parts, *_audit(record))


def _compared(record: RunRecord) -> str:
    """Says what each kind made: strategies, baselines, benchmark."""
    sentences = []
    for one, many, is_baseline in (("strategy", "strategies", False), ("baseline", "baselines", True)):
        made = [each["return_pct"] for each in record.document["results"] if each["baseline"] == is_baseline]
        kinds = f"{len(made)} {one if len(made) == 1 else many}"
        sentences.append(f"{kinds} made {returns_span(made)}." if made else f"No {one} ran.")
    held = record.document.get("benchmark")
    if held and held["return_pct"] is not None:
        sentences.append(f"{held['symbol']}, the benchmark, made {number(held['return_pct'], 1)} %.")
    return " ".join(sentences)


def _audit(record: RunRecord) -> list[str]:
    return [f'<p class="note">{esc(line)}.</p>' for line in audit_lines(record)]
