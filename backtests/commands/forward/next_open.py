"""`backtest next`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backtests.commands.options import (
    ARCHIVE,
    archive_option,
    aside,
    day,
    json_option,
    moment_option,
    news_of,
    open_archive,
    scorer_option,
    settings_option,
    split_settings,
)
from backtests.commands.output import show
from feeds.errors import InputError

if TYPE_CHECKING:
    from feeds.scoring import Scorer


@click.command("next")
@click.argument("episode", metavar="EPISODE")
@click.option("--at", callback=moment_option, metavar="TIME", help="As if it were this moment; now without.")
@click.option(
    "-s", "--strategy", "strategies", multiple=True, help="A strategy, your own FILE.py[:CLASS], or FILE.csv."
)
@settings_option
@click.option("--start", callback=day, metavar="DATE", help="First session of the paper accounts.")
@click.option("--news", type=click.Path(path_type=Path), help="RSS/Atom file or folder instead, or `archive`.")
@archive_option
@scorer_option
@click.option("--prices", type=click.Path(path_type=Path), help="CSV or Parquet of bars that you keep up to date.")
@click.option(
    "--positions",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Order for this account instead: CSV of symbol,shares and a row cash,DOLLARS.",
)
@click.option("--orders", type=click.Path(path_type=Path), metavar="FILE", help="Also write the orders to a new CSV.")
@json_option
def next_open(
    episode: str,
    at: datetime | None,
    strategies: tuple[str, ...],
    settings: dict[str, str],
    start: date | None,
    news: Path | None,
    archive: Path | None,
    scorer: Scorer,
    prices: Path | None,
    positions: Path | None,
    orders: Path | None,
    as_json: bool,
) -> None:
    """Decides for the coming open: target weights, orders in shares, and the headlines behind them.

    EPISODE is the universe: a name or a folder, or a portfolio of `backtest forward`. A decision is the replay until
    now: what it knows ends with the last close and with the headlines that are known in time. It is never made
    without the prices of a session that has closed.

    \b
    Example:
      backtest next my-universe --news archive --strategy shock --orders orders.csv
      backtest next deepseek-2025 --at 2025-01-27T14:00Z
    """
    from backtests.episodes.episode import load_episode
    from backtests.forward.advice import advice
    from backtests.forward.coming import coming_session, cut_before
    from backtests.forward.decide import decide, read_positions
    from backtests.user_strategies.selection import standard_rules

    if orders is not None and orders.exists():
        raise InputError(f"--orders {orders}: is there already; name a new file")
    held = read_positions(positions) if positions is not None else None
    at = at or datetime.now(UTC)
    if (Path(episode) / "registration.json").is_file():
        from backtests.forward.registration import open_portfolio

        if strategies or settings or start or news or prices:
            raise InputError(f"{episode} is a portfolio: what it decides by was registered; leave the options out")
        registered = open_portfolio(Path(episode))
        if registered.decisions is not None:
            raise InputError(f"{episode}: its decisions come from {registered.decisions}; look there for the next")
        with aside():
            rules = [registered.rule()]
        news, archive, scorer, terms = ARCHIVE, archive or registered.archive, registered.scorer, registered.terms
        start, loaded = registered.start, registered.load()
    else:
        with aside():
            terms, own = split_settings(settings, strategies)
            rules = standard_rules(strategies, own)
        loaded = load_episode(episode, prices=prices, news=None if news == ARCHIVE else news, start=start)
    coming = coming_session(loaded, at)
    cut = cut_before(loaded, coming, start=start)
    cut, known = news_of(cut, news, archive, None, scorer, coming.known_by)
    with aside():
        decided = decide(cut, known, rules, terms, held)
    health = []
    if news == ARCHIVE:
        with open_archive(archive, create=False) as opened:
            health = opened.health()
    found = advice(cut, coming, known, decided, health)
    if orders is not None:
        try:
            orders.write_text(found.order_table(), encoding="utf-8")
        except OSError as wrong:
            raise InputError(f"--orders {orders}: cannot be written ({wrong.strerror}); name another file") from None
    show(found.text(), found.document(), as_json=as_json)
