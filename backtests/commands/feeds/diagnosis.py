"""Says what is wrong with the times of a set of news: `backtest feeds doctor`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backtests.commands.options import archive_option, open_archive
from feeds.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from feeds.archive import Archive
    from feeds.doctor import Examination
    from feeds.headline import Headline

_ARCHIVES = {".sqlite", ".sqlite3", ".db"}


@click.command()
@click.argument("targets", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@archive_option
def doctor(targets: tuple[str, ...], as_json: bool, archive: Path | None) -> None:
    """Finds wrong clocks, stamps that are no times and silent feeds; exit code 1 where there are some.

    TARGETS are feeds of the archive (names or addresses), an archive, or files and folders of news as `feeds import`
    takes them. Without any, the whole archive is examined.

    \b
    Example:
      backtest feeds doctor
      backtest feeds doctor snapshots/ headlines.csv
    """
    files = [Path(target) for target in targets if Path(target).exists()]
    archives = [file for file in files if file.suffix.lower() in _ARCHIVES]
    names = [target for target in targets if not Path(target).exists()]
    if archives and (len(targets) > 1 or archive is not None):
        raise InputError(f"{archives[0]}: is an archive; give it alone, or as --archive")
    if files and not archives:
        if names:
            raise InputError(f"{names[0]}: no such file; give files and folders only, or feeds of the archive only")
        examined = _files(files)
    else:
        with open_archive(archives[0] if archives else archive, create=False) as opened:
            examined = _archive(opened, names)
    _say(examined, as_json=as_json)
    if examined.findings:
        raise SystemExit(1)


def _files(paths: Sequence[Path]) -> Examination:
    from feeds.doctor import examine

    return examine(_headlines(paths), now=datetime.now(UTC))


def _headlines(paths: Sequence[Path]) -> Iterator[Headline]:
    """Yields the headlines of files; documents and rows that cannot be read are named and left out."""
    from feeds import rss
    from feeds.errors import FeedError
    from feeds.history import Capture
    from feeds.history.snapshot_files import read_paths

    for each in read_paths(paths, lost=lambda what: click.echo(f"lost: {what.key}: {what.reason}", err=True)):
        if not isinstance(each, Capture):
            yield each.headline
            continue
        try:
            yield from rss.parse(each.body, feed=each.feed, seen=each.seen).headlines
        except FeedError as wrong:
            click.echo(f"lost: {wrong}", err=True)


def _archive(opened: Archive, names: Sequence[str]) -> Examination:
    from feeds.doctor import examine

    health = opened.health()
    called = {row["url"]: row["name"] for row in health}
    chosen = {url for url, name in called.items() if not names or url in names or name in names}
    for name in names:
        if name not in called and name not in called.values():
            raise InputError(
                f"{name}: is neither a file nor a feed of the archive; {did_you_mean(name, called.values())}"
            )
    history = opened.history(None, datetime.max.replace(tzinfo=UTC))
    return examine(
        (each.headline for each in history if each.headline.feed in chosen),
        now=datetime.now(UTC),
        polled=[row["url"] for row in health if row["url"] in chosen and row["subscribed"] and row["fetches"]],
        redating=[row["url"] for row in health if row["url"] in chosen and row["redates"]],
        names=called,
    )


def _say(examined: Examination, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(examined), ensure_ascii=False))
        return
    for finding in examined.findings:
        click.echo(str(finding))
    count = len(examined.findings)
    click.echo(
        f"{examined.headlines:,} headlines of {examined.feeds:,} feeds: "
        + ("nothing found" if not count else f"{count} {'fault' if count == 1 else 'faults'}"),
        err=True,
    )
    if examined.assumed:
        click.echo(
            f"{examined.assumed / examined.headlines:.0%} of the times are assumed, from `published` plus the stated "
            "delay: poll these feeds, or back-fill captures, so that they have been seen",
            err=True,
        )
