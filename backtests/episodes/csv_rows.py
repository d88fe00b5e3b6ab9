"""Reads the small tables of an episode: CSV rows by the names of their columns, each with its place for messages."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from feeds.errors import EpisodeError


def csv_rows(path: Path, columns: Sequence[str], *, optional: int = 0) -> Iterator[tuple[str, dict[str, str]]]:
    """Yields (place, cells by column) of each row; place is "file:line", cells are stripped, absent columns "".

    Args:
        path: A CSV file in UTF-8 with a header.
        columns: What the header must name, in this order.
        optional: How many of the last columns the header may leave out.

    Raises:
        EpisodeError: No such file, no CSV, another header, or a row of another length; with file and line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = [name.strip().lower() for name in next(reader, [])]
            if header != list(columns[: len(header)]) or len(header) < len(columns) - optional:
                raise EpisodeError(f"{path}:1: columns must be {','.join(columns)}, not {','.join(header)!r:.80}")
            for cells in reader:
                if not cells:  # an empty line is no row
                    continue
                place = f"{path}:{reader.line_num}"
                if len(cells) != len(header):
                    raise EpisodeError(f"{place}: {len(cells)} values, but the header names {len(header)}; fix the row")
                strange = next((cell for cell in cells if not cell.isprintable()), None)
                if strange is not None:  # it would reach a terminal, with whatever it makes a terminal do
                    raise EpisodeError(f"{place}: {strange!r:.60} holds characters that cannot be shown; fix the row")
                row = dict.fromkeys(columns, "")
                row.update(zip(header, map(str.strip, cells), strict=True))
                yield place, row
    except OSError as wrong:
        raise EpisodeError(f"{path}: cannot be read ({wrong.strerror}); give a CSV table {','.join(columns)}") from None
    except (UnicodeDecodeError, csv.Error) as wrong:
        raise EpisodeError(f"{path}: is no CSV in UTF-8 ({wrong}); save it as one") from None
