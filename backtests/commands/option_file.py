"""Takes options of a command from backtest.toml beside an episode's data; what the command line says wins.

    cash = 50000
    strategy = ["shock", "drift"]
    set = { threshold = 0.8, slippage_bps = 10 }

Keys are the command's long options. Paths are relative to the file. A folder may be somebody else's: options that
write or that keep books are refused, and code that it names is run only with --trust.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from feeds.errors import InputError, did_you_mean

FILE = "backtest.toml"
LARGEST = 65_536  # bytes
_REFUSED = {"output", "force", "trials", "trust", "quiet", "help"}
_SAID = "aftershock.option_file"

trust_file_option = click.option(
    "--trust", is_flag=True, expose_value=False, help=f"Run the code that the folder's {FILE} names."
)


class FileOptions(click.Command):
    """Reads the defaults of its options from backtest.toml in the folder that is its first argument."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parses the command line over what the file says."""
        values, _, _ = self.make_parser(ctx).parse_args(list(args))
        first = next(each.name for each in self.params if isinstance(each, click.Argument))
        file = Path(str(values.get(first) or "")) / FILE
        if not file.is_file():
            return super().parse_args(ctx, args)
        given = _read(file, {each.opts[-1].removeprefix("--"): each for each in self.params if each.opts})
        if not values.get("trust"):
            _refuse_code(file, given)
        pairs = given.get("settings", [])
        ctx.default_map = {**(ctx.default_map or {}), **given}
        typed = [f"--set={pair}" for pair in pairs] if values.get("settings") else []  # pairs add up, the last wins
        ctx.meta[_SAID] = {name: _text(value) for name, value in given.items()}
        return super().parse_args(ctx, [*typed, *args])


def origins(context: click.Context) -> dict[str, str]:
    """Says which options of a command came from its file: option to value; {} where there was none."""
    found: dict[str, str] = {}
    for name, text in context.meta.get(_SAID, {}).items():
        source = context.get_parameter_source(name)
        if source is ParameterSource.DEFAULT_MAP or name == "settings":
            found[name] = text
    return found


def _read(file: Path, options: dict[str, click.Parameter]) -> dict[str, Any]:
    """Reads the file as parameters by their names in Python, each as the command line would have it."""
    try:
        raw = file.read_bytes()
        if len(raw) > LARGEST:
            raise InputError(f"{file}: is larger than {LARGEST} bytes; keep options in it and nothing else")
        table = tomllib.loads(raw.decode())
    except OSError as wrong:
        raise InputError(f"{file}: cannot be read ({wrong.strerror})") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as wrong:
        raise InputError(f"{file}: is no TOML ({wrong}); correct it") from None
    found: dict[str, Any] = {}
    for key, value in table.items():
        option = options.get(key)
        if option is None or isinstance(option, click.Argument) or option.name is None:
            names = [name for name, each in options.items() if isinstance(each, click.Option)]
            raise InputError(f"{file}: {key!r} is no option; {did_you_mean(key, names)}")
        if key in _REFUSED:
            raise InputError(f"{file}: {key!r} can be given on the command line alone")
        found[option.name] = _value(file, key, value, option)
    return found


def _value(file: Path, key: str, value: Any, option: click.Parameter) -> Any:
    if isinstance(value, dict) and key == "set":
        return [f"{name}={_plain(file, key, each)}" for name, each in value.items()]
    if isinstance(option, click.Option) and option.is_flag:
        if not isinstance(value, bool):
            raise InputError(f"{file}: {key} must be true or false")
        return value
    if option.multiple:
        texts = [_plain(file, key, each) for each in (value if isinstance(value, list) else [value])]
        return [_beside(file, text) if ".py" in text else text for text in texts]
    text = _plain(file, key, value)
    return _beside(file, text) if isinstance(option.type, click.Path) else text


def _beside(file: Path, text: str) -> str:
    return text if text == "archive" else str(file.parent / text)


def _plain(file: Path, key: str, value: Any) -> str:
    if isinstance(value, list | dict):
        raise InputError(f"{file}: {key} must be one value")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refuse_code(file: Path, given: dict[str, Any]) -> None:
    for name in ("strategies", "scorer"):
        for text in [given[name]] if isinstance(given.get(name), str) else given.get(name, []):
            if ".py" in text or "://" in text:
                raise InputError(
                    f"{file}: names {text}, which would run or reach out; add --trust, or give it yourself"
                )


def _text(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
