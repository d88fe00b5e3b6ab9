"""Loads an episode: a folder of episode.toml, prices, corporate actions, sessions, news, and dated tables.

Adding one is adding a folder; nothing in the code names an episode.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

from backtests.episodes.claims import Claim, read_claims
from backtests.episodes.intraday import Intraday, bar_length, check_against_daily, read_intraday
from backtests.episodes.listing_checks import apply_status, check_status
from backtests.episodes.listing_status import read_status
from backtests.episodes.manifest import DELAYS, Manifest, read_limits, read_manifest, read_shares
from backtests.episodes.prices import Action, Prices, check_calendar, price_file, read_actions, read_prices
from backtests.episodes.stock_loans import Loans, read_loans
from feeds.errors import EpisodeError, InputError, did_you_mean
from strategies.sessions import Sessions, read_sessions

EPISODES = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """Everything a replay needs; read once, never changed."""

    name: str
    title: str
    folder: Path
    start: date  # first and last session of the window
    end: date
    key_session: date  # the session whose moves and fills are shown
    benchmark: str
    sectors: dict[str, tuple[str, ...]]
    context: tuple[str, ...]  # never traded: indices, futures, crypto
    adjusted: str  # "splits": prices have splits in them; "none": they do not
    assumed_delay: timedelta  # published to known, where no archive saw the headline
    lead: timedelta
    latency: timedelta
    sessions: Sessions
    prices: Prices
    actions: tuple[Action, ...]
    news: tuple[Path, ...]
    claims: tuple[Claim, ...]
    shares_outstanding: dict[str, float]  # shares by symbol
    control: bool = False  # a window in which nothing happened: what is traded here is a false alarm
    provenance: str
    limits: tuple[tuple[str, str], ...] = ()  # what it cannot show: of the news, window or prices; the sentence
    sources: dict[str, str]  # file name to SHA-256
    files: tuple[tuple[str, Path], ...] = ()  # place among a run's inputs, and where the file was read
    loans: Loans = field(default_factory=Loans)  # what borrowing costs, and how much can be had
    intraday: Intraday | None = None  # bars of minutes on which orders fill; rules go on seeing daily ones
    halts: tuple[tuple[str, date, date], ...] = ()  # symbol, first and last day without trading
    delistings: tuple[
        tuple[str, date, str], ...
    ] = ()  # symbol, last session, value: last, zero or percent of the close
    priced_until: date | None = None  # where the window's end has no prices yet: the last session that has
    notes: tuple[str, ...] = ()  # how what the user gave was understood, and what was left out; one line each

    @property
    def symbols(self) -> tuple[str, ...]:
        """Lists all symbols with prices, in the order of episode.toml."""
        return (*self.tradable, *self.context)

    @property
    def tradable(self) -> tuple[str, ...]:
        """Lists the symbols that may be traded, in the order of episode.toml."""
        return tuple(symbol for members in self.sectors.values() for symbol in members)

    @property
    def window(self) -> range:
        """Returns the rows of the window in the table of sessions."""
        return self.sessions.window(self.start, self.end)


def episode_names() -> tuple[str, ...]:
    """Returns the names of the episodes that ship."""
    return tuple(sorted(path.parent.name for path in EPISODES.glob("*/episode.toml")))


def separate_episodes() -> tuple[str, ...]:
    """Returns the names of those whose window holds no other's: in a comparison no session counts twice."""
    windows = {}
    for name in episode_names():
        values = read_manifest(EPISODES / name / "episode.toml").values
        windows[name] = values["start"], values["end"]
    return tuple(
        name
        for name, (start, end) in windows.items()
        if not any(start <= first and last <= end for other, (first, last) in windows.items() if other != name)
    )


def load_episode(
    name_or_path: str | Path,
    *,
    prices: Path | str | None = None,
    news: Path | str | None = None,
    start: date | None = None,
    end: date | None = None,
    bars: str | None = None,
    loans: Path | str | None = None,
) -> Episode:
    """Loads and checks an episode.

    Args:
        name_or_path: The name of a shipped episode, or a folder.
        prices: Bars to use instead of the episode's (CSV or Parquet); symbols they lack are left out.
        news: File or folder of RSS, Atom, JSONL or CSV to use instead of the episode's.
        start: First session, instead of the episode's.
        end: Last session, instead of the episode's.
        bars: Length of the bars in `prices`, like 5m: orders then fill on them. None: `prices` are daily.
        loans: CSV table of stock loans: symbol, valid_from, rate_pct, max_shares; without, the episode's `loans.csv`
            if it has one.

    Raises:
        InputError: Anything wrong, in one line with file, line and remedy where there is one.
    """
    minutes = _minutes(bars, prices)
    if minutes is not None:
        prices = None
    folder = episode_folder(name_or_path)
    toml_path = folder / "episode.toml"
    manifest = read_manifest(toml_path)
    toml = manifest.values
    price_path = Path(prices) if prices is not None else price_file(folder)
    news_paths = news_files(Path(news)) if news is not None else tuple(_own_news(folder))
    sessions = read_sessions(folder / "sessions.csv")
    status = read_status(folder)
    daily, actions = apply_status(status, read_prices(price_path), read_actions(folder / "actions.csv"), sessions)
    sectors, context = _present(manifest, daily, price_path, own=prices is not None)
    first, last = start or toml["start"], end or toml["end"]
    _check_window(sessions, first, last)
    tradable = [symbol for members in sectors.values() for symbol in members]
    check_calendar(daily, tradable, sessions, price_path)
    known = {*(symbol for members in toml["sectors"].values() for symbol in members), *toml["context"]}
    check_status(status, daily, tradable, known, (first, last), price_path)
    delays = {key: timedelta(minutes=toml["delays"][key]) for key in DELAYS}
    if loans is None and (folder / "loans.csv").is_file():
        loans = folder / "loans.csv"
    files = [toml_path, folder / "sessions.csv", folder / "actions.csv", price_path, *news_paths, *status.files]
    files += [Path(each) for each in (loans, minutes and minutes[0]) if each]
    episode = Episode(
        name=folder.name,
        title=toml["title"],
        folder=folder,
        start=first,
        end=last,
        key_session=toml["key_session"],
        benchmark=toml["benchmark"],
        sectors=sectors,
        context=context,
        adjusted=toml["adjusted"],
        assumed_delay=delays["assumed_delay_minutes"],
        latency=delays["latency_minutes"],
        lead=delays["lead_minutes"],
        sessions=sessions,
        prices=daily,
        actions=actions,
        news=news_paths,
        claims=read_claims(toml["claims"], toml_path, known=known),
        shares_outstanding=read_shares(manifest),
        provenance=toml["provenance"],
        control=toml["control"],
        limits=read_limits(
            manifest, own_news=news is None, whole_window=(first, last) == (toml["start"], toml["end"])
        ),
        loans=read_loans(Path(loans)) if loans is not None else Loans(),
        sources={path.name: _sha256(path) for path in files},
        files=_places(folder, price_path, minutes and minutes[0], news_paths, loans, status.files),
        halts=tuple((each.symbol, each.first, each.last) for each in status.halts),
        delistings=tuple((each.symbol, each.session, each.value) for each in status.delistings),
        notes=(*filter(None, [daily.note]), *(each.text for each in status.halts)),
    )  # fmt: skip
    return episode if minutes is None else _on_minutes(episode, *minutes)


def _places(
    folder: Path,
    prices: Path,
    minutes: Path | None,
    news: Sequence[Path],
    loans: Path | str | None,
    tables: Sequence[Path],
) -> tuple[tuple[str, Path], ...]:
    """Lists each file that was read, with its place among the inputs that a run keeps."""
    own = [*(folder / name for name in ("episode.toml", "sessions.csv", "actions.csv")), *tables]
    own += [prices] if prices == price_file(folder) else []
    places = [(f"episode/{folder.name}/{path.name}", path) for path in own]
    places += [(f"prices/{path.name}", path) for path in (prices, minutes) if path is not None and path not in own]
    places += [(f"news/{path.name}", path) for path in news]
    return (*places, *((f"loans/{Path(each).name}", Path(each)) for each in [loans] if each is not None))


def _minutes(bars: str | None, prices: Path | str | None) -> tuple[Path, timedelta] | None:
    if bars is None:
        return None
    length = bar_length(bars)
    if prices is None:
        raise InputError(f"--bars {bars}: say where the bars are, with --prices FILE")
    return Path(prices), length


def _on_minutes(episode: Episode, path: Path, length: timedelta) -> Episode:
    """Keeps the symbols and the sessions for which there are bars of minutes, and notes what is left out."""
    intraday = read_intraday(path, length, episode.sessions, set(episode.tradable))
    check_against_daily(path, intraday, episode.prices.bars, episode.sessions)
    covered = {start.date() for start in intraday.grid}  # in UTC, whose day is the exchange's during its hours
    days = [episode.sessions.sessions[row] for row in episode.window]
    kept = [day for day in days if day in covered]
    if not kept:
        raise InputError(f"{path}: holds no bars from {days[0]} to {days[-1]}; give --start and --end, or another file")
    gap = [day for day in days if kept[0] <= day <= kept[-1] and day not in covered]
    if gap:
        raise InputError(f"{path}: holds no bars of {gap[0]}; end the window before it with --end, or start after it")
    missing = [symbol for symbol in episode.tradable if symbol not in intraday.bars]
    notes = [intraday.note] if intraday.note else []
    notes += [f"{path.name}: no bars of {', '.join(missing)}; left out"] if missing else []
    if episode.benchmark in missing:
        notes.append(f"{episode.benchmark} can be seen and not traded: a hedge with it is not made")
    if len(kept) < len(days):
        notes.append(f"{path.name}: bars from {kept[0]} to {kept[-1]} only; the window is cut to them")
    if intraday.outside:
        notes.append(f"{path.name}: {intraday.outside} bars outside the exchange's hours; left out")
    keep = {*intraday.bars, episode.benchmark}  # a benchmark without bars is seen and never traded
    sectors = {name: tuple(s for s in members if s in keep) for name, members in episode.sectors.items()}
    return replace(
        episode, start=kept[0], end=kept[-1], sectors=sectors, intraday=intraday, notes=(*episode.notes, *notes)
    )


def episode_folder(name_or_path: str | Path) -> Path:
    """Returns the folder of an episode, given by its name or by the folder itself.

    Raises:
        EpisodeError: There is none.
    """
    path = Path(name_or_path)
    if (path / "episode.toml").is_file():
        return path.resolve()
    if isinstance(name_or_path, str) and name_or_path in episode_names():
        return EPISODES / name_or_path
    if path.is_dir():
        raise EpisodeError(f"{path}: holds no episode.toml; give an episode's folder or name")
    raise EpisodeError(f"unknown episode {str(name_or_path)!r}; {did_you_mean(str(name_or_path), episode_names())}")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _present(
    manifest: Manifest, bars: Prices, price_path: Path, *, own: bool
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Returns the sectors and context that have prices; an episode's own file must have them all."""
    toml = manifest.values
    named = [symbol for members in toml["sectors"].values() for symbol in members]
    twice = sorted({symbol for symbol in named if (named + toml["context"]).count(symbol) > 1})
    if twice:
        raise EpisodeError(f"{manifest.place(twice[0])}: {twice[0]} is named twice; a symbol has one sector")
    missing = [symbol for symbol in [*named, *toml["context"]] if symbol not in bars.bars]
    needed = [toml["benchmark"]] if own else [toml["benchmark"], *missing]
    for symbol in needed:
        if symbol not in bars.bars:
            raise EpisodeError(
                f"{price_path}: symbol {symbol} has no prices, which {manifest.path.name} names; add them"
            )
    if toml["benchmark"] not in named:
        place = manifest.place("benchmark")
        raise EpisodeError(f"{place}: benchmark {toml['benchmark']} is in no sector; add it to one")
    sectors = {
        sector: tuple(symbol for symbol in members if symbol in bars.bars)
        for sector, members in toml["sectors"].items()
    }
    if not any(symbol != toml["benchmark"] for members in sectors.values() for symbol in members):
        raise EpisodeError(f"{price_path}: has prices for none of {', '.join(named[:5])} …; the episode needs some")
    return sectors, tuple(symbol for symbol in toml["context"] if symbol in bars.bars)


def _check_window(sessions: Sessions, start: date, end: date) -> None:
    if not sessions.sessions:
        raise EpisodeError("the table of sessions is empty")
    if sessions.window(start, end)[0] == 0:
        raise InputError(
            f"start {start}: orders are sized on the close before, and {sessions.sessions[0]} is the table's first "
            f"session; start at {sessions.sessions[1]} or later"
        )


def _own_news(folder: Path) -> tuple[Path, ...]:
    """Finds the episode's own news: feeds, and lists of headlines with the time at which an archive saw them."""
    found = [path for kind in ("xml", "jsonl", "csv") for path in sorted(folder.glob(f"news*.{kind}"))]
    if not found:
        raise EpisodeError(f"{folder}: holds no news; add news.xml (RSS or Atom), news.jsonl or news.csv")
    return tuple(found)


def news_files(path: Path) -> tuple[Path, ...]:
    """Returns a file of news, or those of a folder: RSS, Atom, JSON Feed, and lists of headlines (JSONL, CSV).

    Raises:
        InputError: There is none.
    """
    if path.is_file():
        return (path,)
    found = [each for each in path.iterdir() if each.is_file() and _is_news(each)] if path.is_dir() else []
    if not found:
        raise InputError(
            f"{path}: no news there; give a file or folder of RSS, Atom, JSON Feed, JSONL or CSV with titles and times"
        )
    return tuple(sorted(found))


def _is_news(path: Path) -> bool:
    """Tells news from other files of a folder: lists of headlines from tables by the header, JSON Feeds from JSON."""
    suffix = path.suffix.lower()
    if suffix not in {".csv", ".json"}:
        return suffix in {".xml", ".rss", ".atom", ".jsonl"}
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        if suffix == ".json":
            return "jsonfeed.org" in file.read(4_096)
        return "title" in re.split(r"[,;\t]", file.readline(10_000).lower().replace('"', "").strip())
