"""A finished run: tables, figures and its card; saved to a folder and loaded from it.

| table     | one row per                 | columns beside `strategy`                                     |
|-----------|-----------------------------|---------------------------------------------------------------|
| equity    | session                     | session, cash, positions, equity (US dollars), gross, net     |
|           |                             | (fractions of equity), margin_call, buying_power              |
| positions | holding at a close          | session, symbol, shares, close, value                         |
| orders    | order                       | order, decided, session, symbol, size, filled, fate, reason,  |
|           |                             | forced                                                        |
| fills     | execution                   | order, session, symbol, size, auction, auction_price, price,  |
|           |                             | commission, slippage, forced, position, moment (UTC)          |
| flows     | borrow, dividend, interest  | session, symbol, kind, amount                                 |
| trades    | round trip or open position | symbol, direction, opened, closed, shares, entry_price,       |
|           |                             | exit_price, commission, borrow, dividends, pnl                |
| targets   | change of a target weight   | session, symbol, weight                                       |
| signals   | session (no strategy)       | session, headlines, sentiment for each treatment of           |
|           |                             | reactions, tone, vader                                        |
| scores    | headline (no strategy)      | id, published, known_at, session, … hits, link                |
| bars      | symbol and session          | symbol, session, open, high, low, close; from the session     |
|           | (no strategy)               | before the window on                                          |
| sessions  | session (no strategy)       | session, opens, closes (UTC), likewise                        |
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from backtests.book import BookTerms, CashFlow, DayEnd, Fill, OrderRecord
from backtests.claims import check_claims
from backtests.contamination import scorer_facts
from backtests.inputs import HELD, held_text, keep_inputs
from backtests.metrics import Trade, max_drawdown_pct, round_trips, sharpe
from feeds.errors import InputError
from strategies.rule import Rule
from strategies.signals import SignalBook

if TYPE_CHECKING:
    import pandas as pd

    from backtests.episode import Episode
    from backtests.news import News

TABLES = (
    "equity",
    "positions",
    "orders",
    "fills",
    "flows",
    "trades",
    "targets",
    "signals",
    "scores",
    "bars",
    "sessions",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run a text that begins so


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What one rule's replay left behind."""

    rule: Rule
    terms: BookTerms
    fills: tuple[Fill, ...]
    orders: tuple[OrderRecord, ...]
    flows: tuple[CashFlow, ...]
    days: tuple[DayEnd, ...]
    decisions: tuple[tuple[str, str, float], ...]
    ruined_on: str | None
    margin_calls: int


@dataclass(frozen=True, slots=True)
class Table:
    """Column names and rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def label(rule: Rule, among: Sequence[Rule]) -> str:
    """Returns a rule's name, with the parameters in which it differs from its namesakes of the run."""
    twins = [other for other in among if other.name == rule.name]
    differing = [name for name, value in rule.parameters.items() if any(o.parameters[name] != value for o in twins)]
    return rule.name + (f" ({', '.join(str(rule.parameters[name]) for name in differing)})" if differing else "")


class Result:
    """A run's tables as pandas frames (`equity`, `positions`, …), its figures in `metrics`, and how to keep it."""

    def __init__(
        self,
        tables: dict[str, Table],
        document: dict[str, Any],
        config: dict[str, Any],
        texts: dict[str, str] | None = None,
    ) -> None:
        """Holds finished tables; use `replay` or `Result.load` to get one."""
        self.texts = texts or {}  # of users' strategies, by their place in the run's folder
        self.tables = tables
        self.document = document  # what `--json` prints
        self.config = config
        self.made: dict[str, Any] = {}  # versions and code that made it, where it was loaded; else those of this moment
        self.inputs: dict[str, Path] = {}  # place in the run's folder, and where the file lies
        self.evidence: dict[str, dict[str, Any]] = {}  # name of a statistic to its document, see docs/evidence.md

    def __getattr__(self, name: str) -> pd.DataFrame:
        """Makes the frame of a table when it is first asked for."""
        if name not in TABLES:
            raise AttributeError(f"a Result has no {name!r}; it has {', '.join(TABLES)} and metrics")
        import pandas as pd

        table = self.tables[name]
        frame = pd.DataFrame(list(table.rows), columns=list(table.columns))
        for column in ("session", "opened", "closed", "decided"):
            if column in frame:
                frame[column] = pd.to_datetime(frame[column].replace("", None))
        for column in ("published", "known_at"):
            if column in frame:
                frame[column] = pd.to_datetime(frame[column].replace("", None), utc=True, format="ISO8601")
        setattr(self, name, frame)
        return frame

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """One row per strategy: returns and drawdowns in percent, costs and equity in US dollars."""
        import pandas as pd

        rows = []
        for result in self.document["results"]:
            row = {key: value for key, value in result.items() if not isinstance(value, dict | list)}
            rows.append(row | result["costs"])
        return pd.DataFrame(rows).set_index("label")

    def plot(self) -> Any:
        """Draws every strategy's equity in US dollars; returns the matplotlib axes.

        Raises:
            InputError: matplotlib is not installed.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as missing:
            raise InputError("plot needs matplotlib: pip install 'aftershock[plot]'") from missing
        axes = Figure(figsize=(9, 4.5), layout="constrained").subplots()
        for name, rows in self.equity.groupby("strategy", sort=False):
            axes.plot(rows["session"], rows["equity"], label=name)
        axes.set(title=f"{self.document['episode']}: equity", ylabel="US dollars")
        axes.tick_params(axis="x", rotation=45)
        axes.legend(fontsize="small")
        return axes

    def _repr_html_(self) -> str:
        """The tables of the report, for a notebook."""
        from backtests.report.page import notebook_view

        return notebook_view(self)

    def __repr__(self) -> str:
        """One line for a prompt."""
        names = ", ".join(result["label"] for result in self.document["results"])
        return f"<Result {self.document['episode']}: {names}>"

    @property
    def hash8(self) -> str:
        """Eight hex digits of the configuration and all data that went in."""
        return hashlib.sha256(_json(self.config).encode()).hexdigest()[:8]

    def save(self, folder: Path | str) -> Path:
        """Writes every table, the figures, the configuration, the card and the page; returns the folder."""
        from backtests.report import run_card, to_toml
        from backtests.report.page import html_page

        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, table in self.tables.items():
                (folder / f"{name}.csv").write_text(_csv(table), encoding="utf-8", newline="")
            texts = {
                "metrics.json": _json(self.document),
                "config.toml": to_toml(self.config),
                "run_card.json": _json(run_card(self)),
                "report.html": html_page(self),
            }
            keep_inputs(self, folder)
            for name, text in {**texts, **self.texts}.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text, encoding="utf-8", newline="")
            for name, evidence in self.evidence.items():
                (folder / "evidence").mkdir(exist_ok=True)
                (folder / "evidence" / f"{name}.json").write_text(_json(evidence), encoding="utf-8", newline="\n")
        except OSError as wrong:
            raise InputError(
                f"{folder}: cannot write the run there ({wrong.strerror}); choose another with -o"
            ) from None
        return folder

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Reads a saved run back.

        Raises:
            InputError: The folder is not a saved run.
        """
        folder = Path(folder)
        try:
            document = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
            card = json.loads((folder / "run_card.json").read_text(encoding="utf-8"))
            config = card["config"]
            tables = {name: _read_csv(folder / f"{name}.csv") for name in TABLES}
            evidence = {
                path.stem: json.loads(path.read_text(encoding="utf-8"))
                for path in sorted((folder / "evidence").glob("*.json"))
            }
        except (OSError, ValueError, KeyError) as wrong:
            raise InputError(f"{folder}: not a saved run ({wrong}); give a folder that `backtest run` wrote") from None
        loaded = cls(tables, document, config)
        loaded.evidence = evidence
        loaded.made = {name: card[name] for name in ("versions", "code_sha256") if name in card}
        loaded.inputs = {
            path.relative_to(folder).as_posix(): path for path in (folder / "inputs").rglob("*") if path.is_file()
        }
        return loaded


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _csv(table: Table) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([_cell(value) for value in row] for row in table.rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    """Disarms a text that a spreadsheet would take for a formula, with the apostrophe it hides."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith((*_FORMULA, "'")) else value
    return "" if value is None else repr(value) if isinstance(value, float) else value


def _read_csv(path: Path) -> Table:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    columns = tuple(rows[0])
    return Table(columns, tuple(tuple(map(_value, columns, row)) for row in rows[1:]))


_TEXTS = {"strategy", "session", "symbol", "fate", "reason", "auction", "kind", "direction", "opened", "closed"}
_TEXTS |= {
    "moment",
    "opens",
    "closes",
    "decided",
    "id",
    "published",
    "known_at",
    "source",
    "language",
    "title",
    "entities",
    "hits",
    "link",
}
_EMPTY_IS_NONE = {"exit_price", "pnl", "vader"}


def _value(column: str, text: str) -> Any:
    if column in _TEXTS:
        return text.removeprefix("'")
    if text in {"True", "False"}:
        return text == "True"
    if not text and column in _EMPTY_IS_NONE:
        return None
    return int(text) if column in {"order", "headlines"} else float(text)


# Building a Result


def build_result(episode: Episode, news: News, terms: BookTerms, replays: Sequence[Replayed]) -> Result:
    """Turns replays into a `Result`."""
    rules = [each.rule for each in replays]
    names = [label(rule, rules) for rule in rules]
    tables = _book_tables(list(zip(names, replays, strict=True)))
    tables["signals"] = _signals(episode, news)
    tables["scores"] = _scores(episode, news)
    tables["bars"], tables["sessions"] = _bars(episode), _session_times(episode)
    document = {
        "episode": episode.name,
        "title": episode.title,
        "sectors": {name: list(symbols) for name, symbols in episode.sectors.items()},
        "window": {"start": _window(episode)[0], "end": _window(episode)[-1], "sessions": len(_window(episode))},
        "key_session": episode.key_session.isoformat(),
        "headlines": news.counts(),
        "scorer": scorer_facts(news.scorer, news.trained_until, {episode.name: episode.start}),
        "notes": list(episode.notes),
        "trading": {"bars": _bar_text(episode), "auctions": terms.auctions},
        "claims": [_claim(claim) for claim in check_claims(episode)],
        "results": [
            _summary(name, each, tables["trades"], episode.key_session.isoformat())
            for name, each in zip(names, replays, strict=True)
        ],
    }
    texts = {rule.code.place: rule.code.text for rule in rules if rule.code is not None}
    if news.held:
        texts[HELD] = held_text(news.held)
    result = Result(tables, document, configuration(episode, news, terms, rules), texts)
    result.inputs = {f"inputs/{place}": path for place, path in episode.files}
    return result


def _window(episode: Episode) -> list[str]:
    return [episode.sessions.sessions[index].isoformat() for index in episode.window]


def _bars(episode: Episode) -> Table:
    """The daily bars of the window and of the session before it: what the page draws."""
    table = episode.sessions.sessions
    first, last = table[episode.window[0] - 1], table[episode.window[-1]]
    rows = [
        (symbol, day.isoformat(), *(float(each[row]) for each in (bars.open, bars.high, bars.low, bars.close)))
        for symbol, bars in ((symbol, episode.prices.bars[symbol]) for symbol in episode.symbols)
        for row, day in enumerate(bars.sessions)
        if first <= day <= last
    ]
    return Table(("symbol", "session", "open", "high", "low", "close"), tuple(rows))


def _session_times(episode: Episode) -> Table:
    times = episode.sessions
    rows = (
        (times.sessions[row].isoformat(), times.opens[row].isoformat(), times.closes[row].isoformat())
        for row in range(episode.window[0] - 1, episode.window[-1] + 1)
    )
    return Table(("session", "opens", "closes"), tuple(rows))


def _bar_text(episode: Episode) -> str:
    return "daily" if episode.intraday is None else f"{episode.intraday.length.total_seconds() / 60:g}m"


def _claim(claim: Any) -> dict[str, Any]:
    row = {field.name: getattr(claim, field.name) for field in dataclasses.fields(claim)}
    return {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in row.items()}


def _summary(name: str, replayed: Replayed, trades: Table, key_session: str) -> dict[str, Any]:
    equity = [replayed.terms.cash, *(day.equity for day in replayed.days)]
    mine = [row for row in trades.rows if row[0] == name]
    closed = trades.columns.index("closed")
    return {
        "strategy": replayed.rule.name,
        "label": name,
        "rival": replayed.rule.rival,
        "params": replayed.rule.parameters,
        "return_pct": (equity[-1] / equity[0] - 1) * 100,
        "max_drawdown_pct": max_drawdown_pct(equity),
        "sharpe": sharpe(equity),
        "trades": sum(bool(row[closed]) for row in mine),
        "open_positions": sum(not row[closed] for row in mine),
        "costs": {
            "commission": sum(fill.commission for fill in replayed.fills),
            "slippage": sum(fill.slippage for fill in replayed.fills),
            "borrow": 0.0 - sum(flow.amount for flow in replayed.flows if flow.kind == "borrow"),
            "dividends": 0.0 - sum(flow.amount for flow in replayed.flows if flow.kind == "dividend"),
            "interest": 0.0 - sum(flow.amount for flow in replayed.flows if flow.kind == "interest"),
        },
        "final_equity": equity[-1],
        "rejected_orders": sum(order.fate in {"refused", "partly"} for order in replayed.orders),
        "margin_calls": replayed.margin_calls,
        "ruined_on": replayed.ruined_on,
        "key_session_fills": [
            {"symbol": fill.symbol, "shares": fill.size, "auction": fill.auction, "price": fill.price}
            for fill in replayed.fills
            if fill.session == key_session
        ],
    }


def _rows_of(name: str, records: Iterable[Any]) -> list[tuple[Any, ...]]:
    return [(name, *(getattr(each, field.name) for field in dataclasses.fields(each))) for each in records]


def _columns(kind: type) -> tuple[str, ...]:
    return ("strategy", *(field.name for field in dataclasses.fields(kind)))


def _book_tables(named: list[tuple[str, Replayed]]) -> dict[str, Table]:
    rows: dict[str, list[tuple[Any, ...]]] = {
        key: [] for key in ("equity", "positions", "orders", "fills", "flows", "trades", "targets")
    }
    for name, each in named:
        for day in each.days:
            gross = sum(abs(shares * close) for _, shares, close in day.positions)
            scale = day.equity if day.equity > 0 else float("inf")
            sums = (day.cash, day.value, day.equity, gross / scale, day.value / scale)
            rows["equity"].append((name, day.session, *sums, day.margin_call, day.buying_power))
            rows["positions"] += [(name, day.session, s, n, close, n * close) for s, n, close in day.positions]
        numbers = {order: number for number, order in enumerate(sorted({o.order for o in each.orders}), 1)}
        rows["orders"] += _rows_of(name, (dataclasses.replace(o, order=numbers[o.order]) for o in each.orders))
        rows["fills"] += _rows_of(name, (dataclasses.replace(f, order=numbers.get(f.order, 0)) for f in each.fills))
        rows["flows"] += _rows_of(name, each.flows)
        rows["trades"] += _rows_of(name, round_trips(each.fills, each.flows))
        rows["targets"] += [(name, *decision) for decision in each.decisions]
    columns = {
        "equity": ("strategy", "session", "cash", "positions", "equity", "gross", "net", "margin_call", "buying_power"),
        "positions": ("strategy", "session", "symbol", "shares", "close", "value"),
        "orders": _columns(OrderRecord),
        "fills": _columns(Fill),
        "flows": _columns(CashFlow),
        "trades": _columns(Trade),
        "targets": ("strategy", "session", "symbol", "weight"),
    }
    return {key: Table(columns[key], tuple(rows[key])) for key in columns}


def _signals(episode: Episode, news: News) -> Table:
    """The AI-wide sums per session, half-life one session; a symbol's signal is this times its exposure."""
    book = SignalBook(news.items, episode.window[0], episode.window[-1])
    series = [
        book.table("count", half_life=None, reactions="include"),
        *(book.table("sentiment", half_life=1.0, reactions=r) for r in ("include", "with-cause", "exclude")),
        book.table("tone", half_life=1.0, reactions="include"),
        book.table("vader", half_life=1.0, reactions="include"),
    ]
    columns = ("session", "headlines", "sentiment_include", "sentiment_with_cause", "sentiment_exclude", "tone")
    return Table(
        (*columns, "vader"),
        tuple(
            (session, int(series[0][row]), *(float(values[row]) for values in series[1:]))
            for row, session in enumerate(_window(episode))
        ),
    )


def _scores(episode: Episode, news: News) -> Table:
    table = episode.sessions.sessions
    columns: tuple[str, ...] = (
        "id",
        "published",
        "known_at",
        "session",
        "source",
        "language",
        "title",
        "relevance",
        "sentiment",
    )
    columns += ("tone", "reaction", "cause", "story_weight", "vader", "used", "entities", "hits", "link")
    rows = []
    for item in news.items:
        head, score = item.headline, item.score
        rows.append(
            (
                head.id,
                head.published.isoformat() if head.published else "",
                item.known_at.isoformat(),
                table[item.session].isoformat() if item.session is not None else "",
                head.source,
                score.language,
                head.title,
                float(score.relevance),
                float(score.sentiment),
                float(score.tone),
                score.reaction,
                score.cause,
                float(item.weight),
                item.vader,
                item.used,
                " ".join(f"{entity.symbol}:{entity.direction:+d}" for entity in score.entities),
                "; ".join(score.hits),
                head.link,
            )
        )
    return Table(columns, tuple(rows))


def configuration(episode: Episode, news: News, terms: BookTerms, rules: Sequence[Rule]) -> dict[str, Any]:
    """Returns what makes a run: data, scorer, book, strategies. All but the strategies is what trials are keyed by."""
    return {
        "episode": episode.name,
        "start": episode.start.isoformat(),
        "end": episode.end.isoformat(),
        "scorer": news.scorer,
        **({} if news.lexicon_as_of is None else {"lexicon_as_of": news.lexicon_as_of.isoformat()}),
        "assumed_delay_minutes": episode.assumed_delay.total_seconds() / 60,
        "latency_minutes": episode.latency.total_seconds() / 60,
        "lead_minutes": episode.lead.total_seconds() / 60,
        "bars": _bar_text(episode),
        "book": dataclasses.asdict(terms),
        "strategies": [{"name": rule.name, **rule.parameters, **_code(rule)} for rule in rules],
        "sources": dict(sorted(episode.sources.items())),
    }


def _code(rule: Rule) -> dict[str, str]:
    """Where a user's own strategy stands in the run's folder, which class of it, and the hash of its text."""
    code = rule.code
    return {} if code is None else {"code": code.place, "class": code.name, "sha256": code.sha256}
