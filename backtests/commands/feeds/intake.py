"""Takes news in: `backtest feeds list|add|remove|import|pull|backfill`."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backtests.commands.feeds.contents import export, show, stats, verify
from backtests.commands.feeds.diagnosis import doctor
from backtests.commands.options import Verbs, archive_option, moment_option, open_archive
from feeds.errors import InputError

if TYPE_CHECKING:
    from feeds.pull import Outcome

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@click.group(cls=Verbs)
def feeds() -> None:
    """Keeps an archive of headlines: what was known when.

    \b
    Example:
      backtest feeds pull --every 5m
    """


for verb in (show, stats, verify, doctor, export):
    feeds.add_command(verb)


@feeds.command("list")
@archive_option
@click.option("--json", "as_json", is_flag=True, help="One JSON list on stdout.")
def list_(archive: Path | None, as_json: bool) -> None:
    """Lists the feeds that are polled.

    \b
    Example:
      backtest feeds list
    """
    with open_archive(archive) as opened:
        entries = [each.entry for each in opened.subscriptions()]
    if as_json:
        rows = [{"url": e.url, "name": e.name, "category": e.category, "language": e.language} for e in entries]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for category in dict.fromkeys(each.category for each in entries):
        click.echo(category or "Other")
        for each in entries:
            if each.category == category:
                click.echo(f"    {each.language or '–':2}  {each.name[:34]:34}  {each.url}")


@feeds.command()
@click.argument("url")
@click.option("--name", help="Its name in lists; its address where none is given.")
@click.option("--category", default="", help="A heading to list it under.")
@archive_option
def add(url: str, name: str | None, category: str, archive: Path | None) -> None:
    """Subscribes to the feed at URL.

    \b
    Example:
      backtest feeds add https://www.tagesschau.de/wirtschaft/index~rss2.xml
    """
    from feeds.opml import FeedEntry, check_url

    entry = FeedEntry(url=check_url(url), name=name or url, category=category)
    with open_archive(archive) as opened:
        added = opened.subscribe([entry])
    click.echo(f"{'added' if added else 'was subscribed already'}: {entry.url}", err=True)


@feeds.command()
@click.argument("url")
@archive_option
def remove(url: str, archive: Path | None) -> None:
    """Stops polling the feed URL (its address or name); what it brought stays.

    \b
    Example:
      backtest feeds remove https://news.ycombinator.com/rss
    """
    with open_archive(archive) as opened:
        opened.unsubscribe(url)
    click.echo(f"removed: {url}", err=True)


@feeds.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@archive_option
def import_(paths: tuple[Path, ...], archive: Path | None) -> None:
    """Imports PATHS: an OPML list of feeds, or news of the past.

    News are RSS/Atom files, folders of snapshots with their times in the names, a git repository that scrapes feeds
    (the commit's time is when it was seen), JSONL or CSV with the columns title, published and/or seen, and optionally
    summary, link, language, feed, source, id.

    \b
    Example:
      backtest feeds import snapshots/ my-feeds.opml
    """
    from feeds.history.backfill import import_paths
    from feeds.opml import read_opml

    with open_archive(archive) as opened:
        for path in paths:
            if path.suffix.lower() == ".opml":
                try:
                    document = path.read_bytes()
                except OSError as wrong:
                    raise InputError(f"{path}: cannot be read ({wrong.strerror}); give an OPML file") from None
                entries = read_opml(document, name=str(path))
                click.echo(f"{path}: {opened.subscribe(entries)} of {len(entries)} feeds are new", err=True)
                continue
            report = import_paths(opened, path, lost=_say_lost)
            click.echo(f"{path}: {report}", err=True)


def _say_lost(where: str, reason: str) -> None:
    click.echo(f"lost: {where}: {reason}", err=True)


@feeds.command()
@click.option("--once", is_flag=True, help="Poll every feed once (what happens without --every).")
@click.option("--every", metavar="TIME", help="Keep polling: 90s, 5m, 1h. Stop with Ctrl-C.")
@click.option("--allow-private", is_flag=True, help="Reach loopback and private addresses too.")
@archive_option
def pull(once: bool, every: str | None, allow_private: bool, archive: Path | None) -> None:
    """Polls the subscribed feeds into the archive.

    \b
    Example:
      backtest feeds pull --every 5m
    """
    from feeds.fetch import Fetcher
    from feeds.pull import pull as pull_feeds

    if once and every:
        raise InputError("--once and --every exclude each other; give one")
    interval = _interval(every) if every else None
    with open_archive(archive) as opened:
        done: list[Outcome] = []

        def progress(outcome: Outcome) -> None:
            done.append(outcome)
            fetch, stored = outcome.fetch, outcome.stored
            what = f"{stored.new} new, {stored.revised} revised" if fetch.outcome == "ok" else fetch.outcome
            detail = f" ({fetch.detail})" if fetch.detail else ""
            click.echo(f"{fetch.at:%H:%M:%S}  {outcome.feed.entry.name[:34]:34}  {what}{detail}", err=True)

        try:
            pull_feeds(opened, Fetcher(allow_private=allow_private), every=interval, progress=progress)
        finally:
            good = sum(each.fetch.outcome in {"ok", "unchanged"} for each in done)
            new = sum(each.stored.new for each in done)
            click.echo(f"{good} of {len(done)} fetches good, {new} headlines new; {opened.path}", err=True)
            waiting = [each for each in opened.subscriptions() if each.last_outcome == "throttled"]
            for each in waiting:
                click.echo(f"{each.entry.name} asked for patience until {each.next_at:%Y-%m-%d %H:%M} UTC", err=True)


def _interval(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,6})\s*([smhd])", text.strip())
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 30 <= seconds <= 7 * 86400:
        raise InputError(f"--every {text!r}: give a time from 30s to 7d, like 5m or 1h")
    return timedelta(seconds=seconds)


@feeds.command()
@click.argument("url", required=False)
@click.option("--gdelt", metavar="QUERY", help="Search GDELT DOC 2.0 instead of a feed's captures.")
@click.option("--from", "start", required=True, metavar="DATE", callback=moment_option, help="First moment.")
@click.option("--to", "end", required=True, metavar="DATE", callback=moment_option, help="Last moment.")
@click.option("--endpoint", hidden=True, help="Another server that speaks the same; for tests.")
@click.option("--allow-private", is_flag=True, help="Reach loopback and private addresses too.")
@archive_option
def backfill(
    url: str | None,
    gdelt: str | None,
    start: datetime,
    end: datetime,
    endpoint: str | None,
    allow_private: bool,
    archive: Path | None,
) -> None:
    """Fetches history: captures of the feed URL in the Internet Archive, or articles that GDELT found.

    An interrupted back-fill resumes where it stopped when it is run again.

    \b
    Example:
      backtest feeds backfill https://www.heise.de/rss/heise-atom.xml --from 2025-01-13 --to 2025-02-07
      backtest feeds backfill --gdelt "deepseek OR nvidia" --from 2025-01-20 --to 2025-01-28
    """
    from feeds.history.backfill import backfill_feed, backfill_gdelt

    if (url is None) == (gdelt is None):
        raise InputError("give either a feed's URL or --gdelt QUERY")
    if end < start:
        raise InputError(f"--to {end:%Y-%m-%d} lies before --from {start:%Y-%m-%d}; exchange them")
    with open_archive(archive) as opened:
        if gdelt is not None:
            report = backfill_gdelt(
                opened, gdelt, start, end, endpoint=endpoint, allow_private=allow_private, lost=_say_lost
            )
        else:
            report = backfill_feed(
                opened, str(url), start, end, endpoint=endpoint, allow_private=allow_private, lost=_say_lost
            )
    click.echo(str(report), err=True)
