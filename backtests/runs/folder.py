"""Writes a finished run to a folder, and reads it from there.

Tables are CSV: numbers to the last bit, text disarmed where a spreadsheet would take it for a formula. Everything else
is JSON or TOML, beside the page and the inputs.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import tomli_w

from backtests.evidence.registry import page_sections
from backtests.records.record import TABLES, RunRecord, Table, json_text
from backtests.records.run_card import run_card
from backtests.report.page import html_page
from backtests.runs.earlier_names import has_earlier_names, translated, translated_columns
from backtests.runs.inputs import keep_inputs
from feeds.errors import InputError

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run a text that begins so


def write_run(record: RunRecord, folder: Path) -> None:
    """Writes every table, the figures, the configuration, the card, the page, the evidence and the inputs.

    Raises:
        InputError: The folder cannot be written to, or an input has changed since the run read it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in record.tables.items():
            (folder / f"{name}.csv").write_text(_csv(table), encoding="utf-8", newline="")
        texts = {
            "metrics.json": json_text(record.document),
            "config.toml": tomli_w.dumps(record.config),
            "run_card.json": json_text(run_card(record)),
            "report.html": page_of(record),
        }
        keep_inputs(record, folder)
        for name, text in {**texts, **record.texts}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8", newline="")
        for name, evidence in record.evidence.items():
            (folder / "evidence").mkdir(exist_ok=True)
            (folder / "evidence" / f"{name}.json").write_text(json_text(evidence), encoding="utf-8", newline="\n")
    except OSError as wrong:
        raise InputError(f"{folder}: cannot write the run there ({wrong.strerror}); choose another with -o") from None


def page_of(record: RunRecord) -> str:
    """Draws a run's page, its evidence included."""
    return html_page(record, page_sections(record.evidence))


def read_run(folder: Path) -> RunRecord:
    """Reads a saved run.

    Raises:
        InputError: The folder is not a saved run.
    """
    try:
        card = json.loads((folder / "run_card.json").read_text(encoding="utf-8"))
        tables = {name: _read_csv(folder / f"{name}.csv") for name in TABLES}
        document = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        evidence = {
            path.stem: json.loads(path.read_text(encoding="utf-8"))
            for path in sorted((folder / "evidence").glob("*.json"))
        }
        config = card["config"]
        if has_earlier_names(config):
            config, document, evidence = (translated(each) for each in (config, document, evidence))
        return RunRecord(
            tables=tables,
            document=document,
            config=config,
            made={name: card[name] for name in ("versions", "code_sha256") if name in card},
            inputs={
                path.relative_to(folder).as_posix(): path for path in (folder / "inputs").rglob("*") if path.is_file()
            },
            evidence=evidence,
        )
    except (OSError, ValueError, KeyError) as wrong:
        raise InputError(f"{folder}: not a saved run ({wrong}); give a folder that `backtest run` wrote") from None


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
    columns = translated_columns(tuple(rows[0]))
    return Table(columns, tuple(tuple(map(_value, columns, row)) for row in rows[1:]))


_TEXTS = frozenset(
    "strategy session symbol status reason auction kind direction opened closed moment opens closes decided "
    "id published known_at source language title entities features link".split()
)
_EMPTY_IS_NONE = {"exit_price", "pnl", "vader"}


def _value(column: str, text: str) -> Any:
    if column in _TEXTS:
        return text.removeprefix("'")
    if text in {"True", "False"}:
        return text == "True"
    if not text and column in _EMPTY_IS_NONE:
        return None
    return int(text) if column in {"order", "headlines"} else float(text)
