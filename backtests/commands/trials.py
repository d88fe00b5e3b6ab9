"""Lists and checks the ledger of trials."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from feeds.errors import InputError

if TYPE_CHECKING:
    from backtests.evidence.trials.entries import Chain
    from backtests.records.record import RunRecord

trials_option = click.option(
    "--trials", "ledger", metavar="FILE",
    help="The ledger of trials, or `off`; without, AFTERSHOCK_TRIALS or the user's data folder.",
)  # fmt: skip


def ledger_path(given: str | None) -> Path:
    """Returns where the ledger lies."""
    from backtests.evidence.trials.ledger import default_path

    return Path(given) if given else default_path()


def ready(given: str | None) -> None:
    """Makes sure before the run that the ledger can be written after it."""
    if given != "off":
        from backtests.evidence.trials.ledger import check

        check(ledger_path(given))


def record(result: RunRecord, given: str | None) -> None:
    """Writes a run into the ledger; `off` leaves it out."""
    if given != "off":
        from backtests.evidence.trials.trials import record as write

        write(result, ledger_path(given))


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@trials_option
@click.pass_context
def trials(context: click.Context, ledger: str | None, as_json: bool) -> None:
    """Lists what was tried: every run and sweep enters an append-only ledger, chained by hashes.

    A row counts what was tried on windows that overlap, of the same episode or the same prices or news.

    \b
    Example:
      backtest trials
      backtest trials verify
    """
    context.obj = ledger
    if context.invoked_subcommand is not None:
        return
    from backtests.evidence.trials.ledger import read_chain

    chain = read_chain(ledger_path(ledger))
    if as_json:
        click.echo(json.dumps(_listing(chain), ensure_ascii=False, allow_nan=False))
    else:
        click.echo(_text(chain), nl=False)
    if chain.broken:
        click.echo(f"the ledger is broken: {chain.broken}", err=True)
        sys.exit(1)


@trials.command()
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path))
@click.pass_obj
def verify(ledger: str | None, runs: tuple[Path, ...]) -> None:
    """Reads the whole ledger and follows its hashes; with RUNS (folders) also looks for the heads that those runs saw.

    Exit code 1 when a line was changed, taken out, put in, or cut off behind a run's head.

    \b
    Example:
      backtest trials verify runs/20250127T150000Z-deepseek-2025-0123abcd
    """
    from backtests.evidence.trials.ledger import read_chain

    path = ledger_path(ledger)
    chain = read_chain(path)
    wrong = [f"the ledger is broken: {chain.broken}"] if chain.broken else []
    wrong += [
        f"{run}: the ledger no longer holds the line that this run wrote ({head[:12]})"
        for run, head in ((run, _head(run)) for run in runs)
        if head not in chain.hashes
    ]
    for line in wrong:
        click.echo(f"{path}: {line}" if line.startswith("the ledger") else line)
    if wrong:
        sys.exit(1)
    click.echo(f"{path}: {len(chain.entries)} entries, every hash follows, head {chain.head[:12]}")


def _head(run: Path) -> str:
    from backtests.records.folders import check_inside
    from backtests.records.shape import read_json, text

    path = run / "evidence" / "trials.json"
    if not path.is_file():
        raise InputError(f"{run}: no run with evidence/trials.json; give the folder of a run")
    check_inside(run)
    return str(read_json(path, {"ledger": {"head": text}})["ledger"]["head"])


def _listing(chain: Chain) -> dict[str, object]:
    return {
        "intact": not chain.broken,
        "broken": chain.broken,
        "head": chain.head,
        "entries": [
            {
                "number": entry.number,
                "at": entry.at,
                "kind": entry.kind,
                "episode": entry.sample.episode,
                "start": entry.sample.start,
                "end": entry.sample.end,
                "trials": [{k: v for k, v in t.document().items() if k != "returns"} for t in entry.trials],
                "hash": entry.hash,
            }
            for entry in chain.entries
        ],
    }


def _text(chain: Chain) -> str:
    from backtests.report.text.table import grid

    samples = dict.fromkeys(entry.sample for entry in chain.entries)
    rows = []
    for sample in samples:
        past = chain.past(sample)
        first = sum(not trial.baseline for _, trial in past.trials)
        own = first + sum(count for _, count in past.copies)
        rows.append((sample.episode, sample.start, sample.end, str(past.runs), str(own), str(len(past.trials) - first)))
    head = ("episode", "from", "to", "runs", "tried", "baselines")
    return "\n".join([*grid(head, rows), f"{len(chain.entries)} entries, head {chain.head[:12]}"]) + "\n"
