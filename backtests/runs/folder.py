"""Writes a finished run to a folder, and reads it from there.

Tables are CSV: numbers to the last bit, text disarmed where a spreadsheet would take it for a formula. Everything else
is JSON or TOML, beside the page and the inputs.
"""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import Any

import tomli_w

from backtests.evidence.registry import page_sections, shape_of
from backtests.records.folders import check_inside, is_half, new_folder
from backtests.records.record import TABLES, RunRecord, Table, json_text
from backtests.records.run_card import run_card
from backtests.records.shape import check, read_json
from backtests.report.page import html_page
from backtests.runs.bridges import write_parquet
from backtests.runs.earlier_names import has_earlier_names, translated, translated_columns
from backtests.runs.inputs import ARCHIVED, keep_inputs
from backtests.runs.saved_shape import CARD, CARD_FILE, COLUMNS, DOCUMENT, LATER, check_run, read_cell
from feeds.errors import InputError

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run a text that begins so
_FILES = frozenset([*(f"{name}.csv" for name in TABLES), "metrics.json", "config.toml", CARD_FILE, "report.html"])
_FOLDERS = frozenset({"evidence", "inputs", "code", "decisions", "parquet"})


def is_run(folder: Path) -> bool:
    """Says whether a folder is that of a run.

    Raises:
        InputError: It is half of one: its writer was stopped.
    """
    if not folder.is_dir():
        return False
    whole = os.path.lexists(folder / CARD_FILE)
    if is_half(folder) or (not whole and all((folder / name).exists() for name in ("equity.csv", "bars.csv"))):
        raise InputError(f"{folder}: is half of a run, whose writing was stopped; run again, and remove it")
    return whole


def check_replaceable(folder: Path) -> None:
    """Makes sure that a folder holds a run and nothing else, so that another may take its place.

    Raises:
        InputError: It holds something else, which would be lost.
    """
    if not os.path.lexists(folder / CARD_FILE):
        raise InputError(f"{folder}: is no run, so --force does not replace it; choose another with -o")
    for path in sorted(folder.iterdir()):
        if path.name not in (_FOLDERS if path.is_dir() else _FILES) or path.is_symlink():
            raise InputError(f"{path}: is not of the run and would be lost; move it away, or choose another with -o")


def write_run(record: RunRecord, folder: Path, *, force: bool = False, parquet: bool = False) -> None:
    """Writes every table, the figures, the configuration, the page, the evidence, the inputs and last the card.

    The folder appears when all of it is on the disk. It must be missing or empty; with `force` a run is replaced. With
    `parquet` every table stands in parquet/ once more.

    Raises:
        InputError: The folder cannot be written to, an input has changed since the run read it, or pyarrow is missing.
    """
    try:
        with new_folder(folder, check_replaceable, force=force) as half:
            if parquet:
                write_parquet(record, half / "parquet")
            _write_into(record, half)
    except OSError as wrong:
        raise InputError(f"{folder}: cannot write the run there ({wrong.strerror}); choose another with -o") from None


def _write_into(record: RunRecord, folder: Path) -> None:
    for name, table in record.tables.items():
        (folder / f"{name}.csv").write_text(_csv(table), encoding="utf-8", newline="")
    keep_inputs(record, folder)
    texts = {
        "metrics.json": json_text(record.document),
        "config.toml": tomli_w.dumps(record.config),
        "report.html": page_of(record),
        **record.texts,
        **{f"evidence/{name}.json": json_text(evidence) for name, evidence in record.evidence.items()},
        CARD_FILE: json_text(run_card(record)),
    }
    for name, raw in (*record.files.items(), *((name, text.encode()) for name, text in texts.items())):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(raw)


def page_of(record: RunRecord) -> str:
    """Draws a run's page, its evidence included."""
    return html_page(record, page_sections(record.evidence))


def read_run(folder: Path) -> RunRecord:
    """Reads a saved run of anybody: all of it lies in the folder, and all of it has the shape of a run.

    Raises:
        InputError: It is no run, a half of one, or was changed; one line with the file.
    """
    if not is_run(folder):
        raise InputError(f"{folder}: not a saved run; give a folder that `backtest run` wrote")
    check_inside(folder)
    card = read_json(folder / CARD_FILE, CARD)
    config, document = card["config"], read_json(folder / "metrics.json", {})
    evidence = {path.stem: read_json(path, {}) for path in sorted((folder / "evidence").glob("*.json"))}
    if has_earlier_names(config):
        config, document, evidence = (translated(each) for each in (config, document, evidence))
    inputs = sorted(path.relative_to(folder).as_posix() for path in (folder / "inputs").rglob("*") if path.is_file())
    texts = [
        place
        for place in [
            *(row[kind] for row in config["strategies"] for kind in ("code", "decisions") if kind in row),
            ARCHIVED,
        ]
        if (folder / place).is_file()
    ]
    source = config["scorer_source"]["file"] if "scorer_source" in config else ""
    files = {source: (folder / source).read_bytes()} if (folder / source).is_file() else {}
    place = "metrics.json"
    try:
        check(document, DOCUMENT)
        for name, found in evidence.items():
            place = f"evidence/{name}.json"
            check(found, shape_of(name))
        run = RunRecord(
            tables={name: _read_csv(folder / f"{name}.csv") for name in TABLES},
            document=document,
            config=config,
            made={name: card[name] for name in ("versions", "code_sha256", "options") if name in card},
            texts={place: (folder / place).read_bytes().decode() for place in texts},
            inputs={place: folder / place for place in inputs if place not in {*texts, source}},
            files=files,
            evidence=evidence,
        )
        place = CARD_FILE
        check_run(run)
    except ValueError as wrong:
        raise InputError(f"{folder / place}: is not as a run writes it ({wrong})") from None
    return run


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
    wanted = COLUMNS[path.stem]
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            columns = translated_columns(tuple(next(rows, ())))
            if columns != tuple(name for name in wanted if name in columns or name not in LATER):
                raise InputError(f"{path}: has other columns than a run writes; restore it")
            return Table(columns, tuple(_row(path, rows.line_num, columns, row) for row in rows))
    except OSError as wrong:
        raise InputError(
            f"{path}: cannot be read ({wrong.strerror}); give a folder that `backtest run` wrote"
        ) from None
    except (ValueError, csv.Error) as wrong:
        raise InputError(f"{path}: is no table in UTF-8 ({wrong}); restore it") from None


def _row(path: Path, line: int, columns: tuple[str, ...], row: list[str]) -> tuple[Any, ...]:
    if len(row) != len(columns):
        raise InputError(f"{path}:{line}: has {len(row)} cells, should have {len(columns)}; restore the file")
    try:
        return tuple(map(read_cell, columns, row))
    except ValueError:
        raise InputError(f"{path}:{line}: has a cell that no run writes; restore the file") from None
