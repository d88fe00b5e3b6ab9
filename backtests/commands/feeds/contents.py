"""Shows, checks and exports what the archive holds: `backtest feeds show|stats|verify|export`."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backtests.commands.options import archive_option, moment_option, open_archive
from feeds.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feeds.archive import Archive, ArchivedHeadline


@click.command()
@click.option("--as-of", metavar="TIME", callback=moment_option, help="What was known then; now without.")
@click.option("--since", metavar="TIME", callback=moment_option, help="Only what became known after it.")
@click.option("--search", metavar="WORDS", help='Words that title or summary hold; "a phrase" in quotes.')
@click.option("-n", "--limit", default=50, show_default=True, help="The newest so many; 0 for all.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@archive_option
def show(
    as_of: datetime | None,
    since: datetime | None,
    search: str | None,
    limit: int,
    as_json: bool,
    archive: Path | None,
) -> None:
    """Shows what was known at a moment, oldest first.

    \b
    Example:
      backtest feeds show --as-of 2025-01-27T14:15Z --search deepseek
    """
    with open_archive(archive, create=False) as opened:
        snapshot = opened.as_of(as_of or datetime.now(UTC), since=since, search=search)
        total = len(snapshot)
        for held in snapshot[-limit:] if limit > 0 else snapshot:
            click.echo(json.dumps(plain(held), ensure_ascii=False) if as_json else _line(held))
    if 0 < limit < total:
        click.echo(f"the newest {limit} of {total}; --limit 0 shows all", err=True)


def plain(held: ArchivedHeadline) -> dict[str, Any]:
    """Returns a revision as JSON holds it; `backtest feeds import` reads it back."""
    headline = held.headline
    return {
        "id": headline.id,
        "revision": headline.revision,
        "known": held.known.isoformat(),
        "seen": headline.seen.isoformat() if headline.seen else None,
        "published": headline.published.isoformat() if headline.published else None,
        "feed": headline.feed,
        "source": headline.source,
        "language": headline.language,
        "title": headline.title,
        "summary": headline.summary,
        "link": headline.link,
        "provenance": held.provenance,
        "rule": held.rule,
        "story": held.story,
    }


def _line(held: ArchivedHeadline) -> str:
    edited = f" (edit {held.headline.revision})" if held.headline.revision else ""
    return (
        f"{held.known:%Y-%m-%d %H:%M:%S}  {held.provenance:8}  {held.headline.source[:20]:20}  "
        f"{held.headline.title}{edited}"
    )


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@archive_option
def stats(as_json: bool, archive: Path | None) -> None:
    """Shows the health of every feed.

    \b
    Example:
      backtest feeds stats
    """
    with open_archive(archive, create=False) as opened:
        rows, counts = opened.health(), opened.counts()
    if as_json:
        click.echo(json.dumps({"archive": counts, "feeds": rows}, ensure_ascii=False))
        return
    click.echo(f"{'feed':30}  {'good':>9}  {'new':>6}  {'revised':>7}  {'lost':>5}  last outcome")
    for row in rows:
        good = f"{row['good']}/{row['fetches']}"
        notes = [row["outcome"] or "never fetched", row["detail"] or ""]
        if row["redates"]:
            notes.append(f"re-dates its items ({row['redated']} times): `seen` counts")
        if row["moved_to"]:
            notes.append(f"moved to {row['moved_to']}")
        said = "; ".join(note for note in notes if note)
        click.echo(
            f"{row['name'][:30]:30}  {good:>9}  {row['new']:>6}  {row['revised']:>7}  {row['rejected']:>5}  {said}"
        )
    click.echo(", ".join(f"{value:,} {name}" for name, value in counts.items()), err=True)


@click.command()
@click.option("--seal", metavar="HEX", help="A seal that an earlier verify printed: it must still be in the chain.")
@archive_option
def verify(seal: str | None, archive: Path | None) -> None:
    """Checks every word, time, table and trigger of the archive; exit code 1 where something is wrong.

    Prints the newest seal, a hash of everything stored so far. Whoever notes it elsewhere can prove later that nothing
    stored until now was changed, cut off or made anew.

    \b
    Example:
      backtest feeds verify
    """
    if seal is not None and not re.fullmatch(r"[0-9a-fA-F]{8,64}", seal):
        raise InputError(f"--seal {seal!r}: is no seal; give at least the first 8 hex digits of what verify printed")
    with open_archive(archive, create=False) as opened:
        found = opened.verify(seal)
        counts = opened.counts()
        newest = opened.seal()
    for each in found:
        click.echo(each)
    click.echo(
        f"{'damaged' if found else 'valid'}: " + ", ".join(f"{value:,} {name}" for name, value in counts.items()),
        err=True,
    )
    if found:
        raise SystemExit(1)
    click.echo(f"seal {newest}" if newest else "nothing is stored yet")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@archive_option
def export(file: Path, archive: Path | None) -> None:
    """Writes FILE: the list of feeds (.opml), or every revision that is held (.jsonl, .parquet).

    \b
    Example:
      backtest feeds export archive.jsonl
    """
    kind = file.suffix.lower()
    if kind not in {".opml", ".jsonl", ".parquet"}:
        raise InputError(f"{file}: give a name that ends in .opml, .jsonl or .parquet")
    with open_archive(archive, create=kind == ".opml") as opened:
        try:
            count = _write(opened, file, kind)
        except OSError as wrong:
            raise InputError(f"{file}: cannot be written ({wrong.strerror}); give another file") from None
    click.echo(f"{file}: {count:,} {'feeds' if kind == '.opml' else 'revisions'}", err=True)


def _write(opened: Archive, file: Path, kind: str) -> int:
    if kind == ".opml":
        from feeds.opml import write_opml

        entries = [each.entry for each in opened.subscriptions()]
        file.write_text(write_opml(entries), encoding="utf-8")
        return len(entries)
    rows: Iterable[dict[str, Any]] = map(plain, opened.history(None, datetime.max.replace(tzinfo=UTC)))
    if kind == ".jsonl":
        with file.open("w", encoding="utf-8", newline="\n") as out:
            return sum(out.write(json.dumps(row, ensure_ascii=False) + "\n") > 0 for row in rows)
    import pandas as pd

    frame = pd.DataFrame(rows)
    for name in ("known", "seen", "published"):
        frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601")
    try:
        frame.to_parquet(file)
    except ImportError:
        raise InputError(f"{file}: Parquet needs pyarrow: pip install 'aftershock[parquet]'") from None
    return len(frame)
