"""Packs an episode into one file and unpacks it; what comes from a stranger is checked before it is written."""

from __future__ import annotations

import lzma
import re
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path

from backtests.authoring.validate import check_folder
from backtests.episodes.episode import episode_folder
from feeds.errors import EpisodeError, InputError

MAX_BYTES = 100 * 1024 * 1024  # of all files together, unpacked
MAX_FILES = 50
_NAME = re.compile(
    r"(?P<folder>[A-Za-z0-9][\w.-]{0,80})/(?P<file>[A-Za-z0-9][\w.-]{0,120}\.(?:toml|csv(?:\.xz)?|xml|jsonl|md))"
)
_KINDS = ("*.toml", "*.csv", "*.csv.xz", "*.xml", "*.jsonl", "*.md")
_MOMENT = (1980, 1, 1, 0, 0, 0)  # the same folder gives the same bytes


def export_episode(name_or_path: str | Path, target: Path) -> int:
    """Packs an episode's folder into a zip file; returns how many files.

    Raises:
        InputError: No such episode, a broken one, a name that could not be imported, or a target that is there already.
    """
    folder = episode_folder(name_or_path)
    problems = check_folder(folder)
    if problems:
        raise EpisodeError(problems[0])
    paths = sorted(path for kind in _KINDS for path in folder.glob(kind))
    size = sum(path.stat().st_size for path in paths)
    if len(paths) > MAX_FILES or size > MAX_BYTES:
        raise EpisodeError(
            f"{folder}: {len(paths)} files of {size:,} bytes; a packed episode has at most {MAX_FILES} files of "
            f"{MAX_BYTES:,} bytes; put the news into fewer files"
        )
    for path in paths:  # what could not be imported again is not exported
        if _NAME.fullmatch(f"{folder.name}/{path.name}") is None:
            raise EpisodeError(f"{path}: folder and file need names of letters, digits, '_', '-' and '.'; rename it")
    try:
        with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as archive:
            for path in paths:
                archive.writestr(_entry(f"{folder.name}/{path.name}"), path.read_bytes())
    except FileExistsError:
        raise InputError(f"{target}: is there already; give another name") from None
    except OSError as wrong:
        raise InputError(f"{target}: cannot be written ({wrong.strerror}); give another file") from None
    return len(paths)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _MOMENT)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def import_episode(source: Path, into: Path) -> Path:
    """Unpacks an episode into a new folder below `into`, when it is valid; returns the folder.

    Raises:
        InputError: No zip file, one that holds anything but one folder of plain files, one that is too large, a folder
            that is there already, or a broken episode; nothing is left behind.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            name = _folder_name(source, archive)
            target = into / name
            if target.exists():
                raise EpisodeError(f"{target}: is there already; remove it, or import into another folder")
            into.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=into, prefix=f".{name}-") as place:
                made = Path(place) / name
                made.mkdir()
                _unpack(source, archive, made)
                problems = check_folder(made)
                if problems:
                    raise EpisodeError(f"{source}: {problems[0].replace(str(made), name)}")
                made.rename(target)
            return target
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, EOFError) as wrong:
        raise InputError(f"{source}: is no zip file that can be read ({wrong}); export it again") from None
    except OSError as wrong:
        raise InputError(f"{source}: cannot be read ({wrong.strerror or wrong}); give a zip file") from None


def _folder_name(source: Path, archive: zipfile.ZipFile) -> str:
    """Checks the list of files before a byte is unpacked, and returns the folder's name."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if not 0 < len(entries) <= MAX_FILES:
        raise InputError(f"{source}: holds {len(entries)} files; an episode has 1 to {MAX_FILES}")
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise InputError(f"{source}: unpacks to more than {MAX_BYTES:,} bytes; an episode is smaller")
    names: set[str] = set()
    files: set[str] = set()
    for entry in entries:
        found = _NAME.fullmatch(entry.filename)
        mode = entry.external_attr >> 16
        if found is None or (mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode)):
            raise InputError(f"{source}: {entry.filename[:80]!r} is no plain file of an episode; it has NAME/FILE only")
        if found["file"].lower() in files:  # the second would be written over the first
            raise InputError(f"{source}: {entry.filename[:80]!r} is there twice; export it again")
        names.add(found["folder"])
        files.add(found["file"].lower())
    if len(names) != 1:
        raise InputError(f"{source}: holds {len(names)} folders; an episode is one")
    return names.pop()


def _unpack(source: Path, archive: zipfile.ZipFile, made: Path) -> None:
    """Writes the files; what a file says of its own size is not believed."""
    left = MAX_BYTES
    for entry in archive.infolist():
        if entry.is_dir():
            continue
        with archive.open(entry) as file:
            content = file.read(left + 1)
        left -= len(content)
        if left < 0:
            raise InputError(f"{source}: unpacks to more than {MAX_BYTES:,} bytes; an episode is smaller")
        (made / entry.filename.split("/")[1]).write_bytes(content)
