"""`backtest forward …` and `backtest watch`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backtests.commands.options import (
    Verbs,
    archive_option,
    aside,
    json_option,
    open_archive,
    scorer_option,
    settings_option,
    split_settings,
)
from backtests.commands.output import show
from backtests.commands.saved_runs.saved_run import trust_option
from feeds.errors import InputError

if TYPE_CHECKING:
    from backtests.forward.registration import Portfolio
    from feeds.archive import Archive
    from feeds.scoring import Scorer

_folder = click.argument("folder", type=click.Path(path_type=Path), metavar="PORTFOLIO")


@click.group(cls=Verbs)
def forward() -> None:
    """Keeps sealed records of decisions that were made before the open, and grades them later.

    \b
    Example:
      backtest forward register shock-1 --strategy shock --universe my-universe
    """


@forward.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="NAME")
@click.option("-s", "--strategy", help="A strategy, or your own FILE.py[:CLASS].")
@click.option(
    "--decisions",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Instead of a strategy: a CSV of session,symbol,weight,decided_at,model that grows.",
)
@settings_option
@click.option("--cash", metavar="USD", help="Cash at the start, in US dollars.")
@click.option(
    "--universe", required=True, metavar="EPISODE", help="An episode's folder or name; keep its prices up to date."
)
@click.option(
    "--prices", type=click.Path(path_type=Path), help="CSV or Parquet of bars that you keep up to date, instead."
)
@archive_option
@scorer_option
def register(
    folder: Path,
    strategy: str | None,
    decisions: Path | None,
    settings: dict[str, str],
    cash: str | None,
    universe: str,
    prices: Path | None,
    archive: Path | None,
    scorer: Scorer,
) -> None:
    """Registers a paper portfolio in the new folder NAME: nothing of it can be changed from then on.

    Fixed are the rule with its parameters, the scorer's vintage, the account's terms, the universe and the program's
    code. A change is a new registration.

    \b
    Example:
      backtest forward register shock-1 --strategy shock --set threshold=0.8 --universe my-universe
    """
    from backtests.forward.registration import register as write
    from backtests.forward.watch import utc_now
    from backtests.user_strategies.loading import make_rule

    if (strategy is None) == (decisions is None):
        raise InputError("give either --strategy or --decisions")
    settings = {**settings, **({"cash": cash} if cash is not None else {})}
    with aside():
        terms, own = split_settings(settings, [strategy] if strategy else ["buy-hold"])
        rule = make_rule(strategy, own) if strategy else None
    with open_archive(archive) as opened:
        made = write(
            folder, universe=universe, rule=rule, decisions=decisions, terms=terms, scorer=scorer,
            archive=opened.path, prices=prices, at=utc_now(),
        )  # fmt: skip
    click.echo(f"{made.name}: registered, decides from {made.start} on; registration {made.digest}")


@forward.command()
@_folder
@json_option
def status(folder: Path, as_json: bool) -> None:
    """Says how a portfolio stands: lines, the next deadline, feeds that fail.

    \b
    Example:
      backtest forward status shock-1
    """
    from backtests.forward.coming import coming_session
    from backtests.forward.registration import open_portfolio
    from backtests.forward.watch import utc_now

    found = open_portfolio(folder)
    chain, now = found.chain(), utc_now()
    coming = coming_session(found.load(), now)
    with open_archive(found.archive, create=False) as opened:
        silent = [row["name"] for row in opened.health() if row["subscribed"] and row["failures"]]
    said = {
        "name": found.name,
        "decisions": sum(line.get("kind") == "decision" for line in chain.lines),
        "void": sum(line.get("kind") == "void" for line in chain.lines),
        "last_session": chain.lines[-1]["session"] if chain.lines else None,
        "head": chain.head,
        "broken": list(chain.broken),
        "next_session": coming.session.isoformat(),
        "decides_at": coming.last_moment.isoformat(),
        "deadline": coming.deadline.isoformat(),
        "feeds_failing": silent,
    }
    lines = [
        f"{said['name']}: {said['decisions']} decisions, {said['void']} void, last for {said['last_session'] or '–'}",
        f"next: {said['next_session']}, decided at {said['decides_at']}, in by {said['deadline']}",
        f"head: {said['head']}",
        *(f"BROKEN {each}" for each in chain.broken),
        *([f"feeds that fail: {', '.join(silent)}"] if silent else []),
    ]
    show("\n".join(lines) + "\n", said, as_json=as_json)
    if chain.broken:
        sys.exit(1)


@forward.command()
@_folder
def seal(folder: Path) -> None:
    """Prints the number of lines and the head's hash, to be published: a mail, a git commit, a timestamping service.

    \b
    Example:
      backtest forward seal shock-1
    """
    from backtests.forward.registration import open_portfolio

    chain = open_portfolio(folder).chain()
    if chain.broken:
        raise InputError(f"{folder}: {chain.broken[0]}; `forward verify` says more")
    click.echo(f"{len(chain.lines)} {chain.head}")


@forward.command()
@_folder
@json_option
def grade(folder: Path, as_json: bool) -> None:
    """Fills the recorded decisions at the real opens, through the same account, and keeps the run in graded/.

    \b
    Example:
      backtest forward grade shock-1
    """
    from backtests.forward.grading import grade as make
    from backtests.forward.grading import report_document, report_text, save_graded
    from backtests.forward.registration import open_portfolio

    found = open_portfolio(folder)
    with open_archive(found.archive, create=False) as opened:
        result = make(found, opened)
    place = save_graded(found, result)
    chain = found.chain()
    show(report_text(found, chain, result), report_document(found, chain, result), as_json=as_json)
    click.echo(f"files: {place}", err=True)


@forward.command()
@_folder
@json_option
def report(folder: Path, as_json: bool) -> None:
    """Reports the record as it was last graded: return, benchmark, baselines, void decisions, replay minus forward.

    \b
    Example:
      backtest forward report shock-1
    """
    from backtests.forward.grading import report_document, report_text
    from backtests.forward.registration import GRADED, open_portfolio
    from backtests.runs.folder import read_run

    found = open_portfolio(folder)
    if not (folder / GRADED).is_dir():
        raise InputError(f"{folder}: has not been graded; run `backtest forward grade {folder}` first")
    run, chain = read_run(folder / GRADED), found.chain()
    show(report_text(found, chain, run), report_document(found, chain, run), as_json=as_json)


@forward.command()
@_folder
@click.option("--head", default="", metavar="HASH", help="A head that was published earlier: it must be in the chain.")
@trust_option
@archive_option
@json_option
def verify(folder: Path, head: str, trust: bool, archive: Path | None, as_json: bool) -> None:
    """Checks a record: its chain, its times, and every decision made again from the archive as of its moment.

    Exit codes: 0 it holds; 1 a line was changed, dropped, moved or back-dated, or knew something later; 2 wrong input.

    \b
    Example:
      backtest forward verify shock-1 --head 3f2a…
    """
    from backtests.forward.record_checks import check_record
    from backtests.forward.registration import open_portfolio

    found = open_portfolio(folder)
    with aside():
        rule = None if found.decisions else found.rule(trust=trust)
    with open_archive(archive or found.archive, create=False) as opened, aside(said=False):
        checked = check_record(found, opened, head=head.strip().lower(), rule=rule)
    lines = [
        *(f"WRONG {each}" for each in checked.wrong),
        *(f"note: {each}" for each in checked.notes),
        f"{found.name}: {checked.decisions} decisions made again, {checked.void} void, {len(checked.wrong)} wrong",
        f"head: {checked.head}",
    ]
    document = {
        "name": found.name, "decisions": checked.decisions, "void": checked.void, "head": checked.head,
        "wrong": list(checked.wrong), "notes": list(checked.notes),
    }  # fmt: skip
    show("\n".join(lines) + "\n", document, as_json=as_json)
    if checked.wrong:
        sys.exit(1)


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PORTFOLIO...")
@click.option("--once", is_flag=True, help="One step: poll what is due, decide what is due, end. For cron and systemd.")
@click.option("--notify", metavar="COMMAND", help="Run for each event, with JSON on its stdin.")
@click.option("--no-feeds", is_flag=True, help="Leave the feeds to another process.")
@click.option("--allow-private", is_flag=True, help="Reach loopback and private addresses too.")
def watch(folders: tuple[Path, ...], once: bool, notify: str | None, no_feeds: bool, allow_private: bool) -> None:
    """Polls the feeds, and seals a decision of each PORTFOLIO before each open. Stop with Ctrl-C.

    It decides at open - lead - latency and writes before open - lead. What was missed or came late is void, and stays.
    Nothing is sent anywhere by itself: --notify gets each event (decision, void, silent feed, problem) as JSON.

    \b
    Example:
      backtest watch shock-1 drift-1 --notify "ntfy publish my-topic"
    """
    from contextlib import ExitStack

    from backtests.forward.chain import only_watcher
    from backtests.forward.registration import open_portfolio
    from backtests.forward.watch import World, utc_now
    from backtests.forward.watch import watch as run

    portfolios = [open_portfolio(folder) for folder in folders]
    archives = {portfolio.archive for portfolio in portfolios}
    if len(archives) > 1:
        raise InputError("portfolios of several archives; watch those of each archive in a process of its own")
    with ExitStack() as stack:
        for folder in folders:
            stack.enter_context(only_watcher(folder))
        archive = stack.enter_context(open_archive(archives.pop(), create=False))
        stack.enter_context(aside())
        world = World(
            clock=utc_now,
            sleep=_sleep,
            poll=list if no_feeds else _poller(archive, allow_private=allow_private),
            tell=_teller(notify),
            polls=not no_feeds,
        )
        run(portfolios, archive, world, once=once)
        for portfolio in portfolios:
            _say_state(portfolio)


def _sleep(seconds: float) -> None:
    """Sleeps in short turns, so that a clock that was set, or a laptop that slept, is noticed."""
    import time

    time.sleep(min(seconds, 30.0))


def _say_state(portfolio: Portfolio) -> None:
    chain = portfolio.chain()
    click.echo(f"{portfolio.name}: {len(chain.lines)} lines, head {chain.head[:16]}…", err=True)


def _poller(archive: Archive, *, allow_private: bool) -> Callable[[], list[dict[str, Any]]]:
    """Returns what polls the feeds that are due, and says which have just gone silent."""
    import asyncio
    from datetime import timedelta

    from feeds.fetch import Fetcher
    from feeds.pull import pull_once

    def poll() -> list[dict[str, Any]]:
        async def work() -> Sequence[Any]:
            async with Fetcher(allow_private=allow_private) as fetcher:
                return await pull_once(archive, fetcher, every=timedelta(minutes=5), only_due=True)

        return [
            {"event": "silent feed", "feed": each.feed.entry.name, "at": each.fetch.at.isoformat(),
             "outcome": each.fetch.outcome, "detail": each.fetch.detail}
            for each in asyncio.run(work())
            if each.fetch.outcome not in {"ok", "unchanged"} and each.feed.failures == 0
        ]  # fmt: skip

    return poll


def _teller(command: str | None) -> Callable[[dict[str, Any]], None]:
    """Returns what says an event on stderr, and hands it to the user's command."""

    def tell(event: dict[str, Any]) -> None:
        name = event.get("portfolio") or event.get("feed") or ""
        what = (
            event.get("says") or event.get("reason") or event.get("outcome") or f"{len(event.get('orders', ()))} orders"
        )
        click.echo(
            f"{datetime.now(UTC):%m-%d %H:%M:%S}  {name}: {event['event']} {event.get('session', '')} {what}", err=True
        )
        if command is not None:
            text = json.dumps(event, ensure_ascii=False)
            try:
                done = subprocess.run(  # noqa: S602 (the user's own command line)
                    command, shell=True, input=text, text=True, timeout=60, check=False, stdout=subprocess.DEVNULL
                )
                failed = f"exit code {done.returncode}" if done.returncode else ""
            except subprocess.TimeoutExpired:
                failed = "not done after 60 s"
            if failed:
                click.echo(f"--notify: {failed}", err=True)

    return tell
