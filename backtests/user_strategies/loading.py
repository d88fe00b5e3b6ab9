"""Loads a user's strategy from a file: `my_rule.py`, or `my_rule.py:MyRule` where it has several classes.

    text of the file ─► module, run once ─► the class: a Rule, or a bt.Strategy in the place of one

The file runs with the user's rights, as it would under `python my_rule.py`. What it opened while it was loaded is
noted, for nothing can be proved of that; so are its text and hash, so that a run can be made again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import inspect
import linecache
import os
import sys
import types
import typing
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from backtests.user_strategies.adapter import strategy_type
from backtests.user_strategies.checks import check_weights, error_text, where
from backtests.user_strategies.decision_table import table_type
from backtests.user_strategies.side_effects import watched
from feeds.errors import InputError, did_you_mean
from strategies import registry
from strategies.rule import Code, Rule

# As they were before any file of a user's was run: what the process of an audit inherits.
ENVIRONMENT, FOLDER = dict(os.environ), str(Path.cwd())
SEARCH_PATH = [str(Path(each).absolute()) for each in sys.path]

_loaded: dict[tuple[Path, str], tuple[types.ModuleType, tuple[str, ...]]] = {}
_types: dict[tuple[Path, str, str], type[Rule]] = {}
_adopted: dict[type[Any], type[Rule]] = {}


def rule_type(name: str) -> type[Rule]:
    """Returns the class of a strategy: a registered one by name, one of the user's by `file.py[:Class]`.

    A file `.csv` is a table of decisions, see `decision_table`.

    Raises:
        InputError: No such strategy, file or class, a file that does not run, or a class that is no strategy.
    """
    if name.lower().endswith(".csv"):
        return table_type(name, _read(Path(name)))
    path, wanted = _parts(name)
    if path is None:
        if name not in registry.rules():
            raise InputError(f"unknown strategy {name!r}; {did_you_mean(name, registry.rules())}")
        return registry.rules()[name]
    return _from_text(path, _read(path), wanted)


def make_rule(name: str, settings: dict[str, str] | None = None) -> Rule:
    """Makes a strategy of `rule_type` with settings as texts.

    Raises:
        InputError: As `rule_type`, or an unknown parameter or value.
    """
    return rule_type(name).with_settings(settings or {})


def adopted(found: type[Any]) -> type[Rule]:
    """Returns the strategy that a class of a notebook is: a Rule, or a bt.Strategy in the place of one.

    Raises:
        InputError: It is neither, or lacks something.
    """
    if found in registry.rules().values():
        return found
    if not (issubclass(found, Rule) or _is_strategy(found)):
        raise InputError(f"{found.__name__} is neither a strategies.Rule nor a backtrader.Strategy")
    if found not in _adopted:
        _adopted[found] = _as_rule(Path(found.__module__), found, None)
    return _adopted[found]


def reloaded(rule: Rule, path: Path | None = None) -> Rule:
    """Makes a rule from a file anew, in a module of its own that remembers nothing; other rules as they are."""
    if rule.code is None:
        return rule
    values = {field.name: getattr(rule, field.name) for field in dataclasses.fields(rule)}
    with contextlib.redirect_stdout(None):  # what it prints when it is loaded has been said
        return rule_from_code(rule.code, values, path)


def rule_from_code(code: Code, values: dict[str, Any], path: Path | None = None) -> Rule:
    """Makes a rule from the text of its file and its parameters, in a module of its own."""
    return _from_text(path or Path(code.file), code.text, code.name, fresh=True)(**values)


def saved_rules(folder: Path, rows: Sequence[dict[str, Any]], *, trust: bool) -> list[Rule]:
    """Makes the strategies of a run again: from names and parameters, and from the files the run has kept of them.

    Args:
        folder: Of the run; a file of its strategies lies in it.
        rows: Of its configuration.
        trust: Whether strategy code that lies in the folder may run.

    Raises:
        InputError: There is such code and it is not trusted, lies elsewhere, is gone or is not what the run used.
    """
    own = own_code(rows)
    if own and not trust:
        raise InputError(
            f"{folder}: holds strategy code of whoever made the run, which would run with your rights "
            f"({'; '.join(own)}); read it, then say --trust"
        )
    return [_saved_rule(folder, row) for row in rows]


def own_code(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Names the strategy code that a run's folder holds: file, class and SHA-256 of each, as its configuration says."""
    found = [f"{row['code']}, class {row['class']}, SHA-256 {row['sha256']}" for row in rows if "code" in row]
    return list(dict.fromkeys(found))


def _saved_rule(folder: Path, row: dict[str, Any]) -> Rule:
    kept = {"name", "code", "class", "decisions", "sha256"}
    settings = {key: str(value) for key, value in row.items() if key not in kept}
    place = row.get("code", row.get("decisions"))
    if place is None:
        return registry.make_rule(row["name"], settings)  # by its name alone: a file is never meant
    path = folder / place
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{path}: lies outside the run's folder; a run's strategies lie in it")
    text = _read(path)
    if hashlib.sha256(text.encode()).hexdigest() != row["sha256"]:
        raise InputError(f"{path}: is not the text that the run used (its hash is another); restore it")
    made = _from_text(path, text, row["class"]) if "code" in row else table_type(str(path), text)
    usual = {name: str(value) for name, value in made().parameters.items()}
    return made.with_settings({name: text for name, text in settings.items() if text != usual.get(name)})


def _parts(name: str) -> tuple[Path | None, str | None]:
    """Splits `file.py:Class`; (None, None) for a plain name."""
    if name.endswith(".py"):
        return Path(name), None
    file, colon, wanted = name.rpartition(".py:")
    return (Path(file + ".py"), wanted) if colon else (None, None)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode()  # no line ending changed: the hash is of the very text
    except OSError as wrong:
        raise InputError(f"{path}: cannot be read ({wrong.strerror}); give the file of a strategy") from None
    except UnicodeDecodeError as wrong:
        raise InputError(f"{path}: is no text in UTF-8 ({wrong.reason}); save it as one") from None


def _from_text(path: Path, text: str, wanted: str | None, *, fresh: bool = False) -> type[Rule]:
    digest = hashlib.sha256(text.encode()).hexdigest()
    place = path.resolve(), digest
    if fresh or place not in _loaded:
        module, reads = _run(path, text, digest)
        if not fresh:
            _loaded[place] = module, reads
    else:
        module, reads = _loaded[place]
    found = _pick(path, module, wanted)
    key = (*place, found.__name__)
    if fresh or key not in _types:
        code = Code(file=str(path), name=found.__name__, sha256=digest, text=text, reads=reads)
        made = _as_rule(path, found, code)
        if fresh:
            return made
        _types[key] = made
    return _types[key]


def _run(path: Path, text: str, digest: str) -> tuple[types.ModuleType, tuple[str, ...]]:
    """Runs the file as a module; what it opens on the way is noted."""
    name = f"own_{path.stem}_{digest[:8]}_{len(sys.modules)}"
    module = types.ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # dataclasses look their annotations up there
    linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))  # nobody need open it
    try:
        compiled = compile(text, str(path), "exec")
        with watched() as reads:
            exec(compiled, module.__dict__)  # noqa: S102 (the user's own program, which the user asks to run)
    except SyntaxError as wrong:
        raise InputError(f"{path}:{wrong.lineno}: syntax error: {wrong.msg}") from None
    except (Exception, SystemExit) as wrong:
        raise InputError(f"{where(path, wrong)}: {error_text(wrong)}") from wrong
    return module, tuple(dict.fromkeys(reads))


def _pick(path: Path, module: types.ModuleType, wanted: str | None) -> type[Any]:
    own = {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__
    }
    usable = {name: value for name, value in own.items() if issubclass(value, Rule) or _is_strategy(value)}
    if wanted is not None:
        if wanted not in own:
            raise InputError(f"{path}: has no class {wanted!r}; {_choice(wanted, usable)}")
        if wanted not in usable:
            raise InputError(f"{path}: {wanted} is neither a strategies.Rule nor a backtrader.Strategy")
        return usable[wanted]
    # a class that another one of the file is made from is a step on the way, unless it is asked for
    leaves = [value for value in usable.values() if not any(value in each.__mro__[1:] for each in usable.values())]
    if not leaves:
        raise InputError(f"{path}: has no strategies.Rule and no backtrader.Strategy; write a class of one of them")
    if len(leaves) > 1:
        names = ", ".join(each.__name__ for each in leaves)
        raise InputError(f"{path}: has several strategies ({names}); name one: {path}:{leaves[0].__name__}")
    return leaves[0]


def _choice(wanted: str, usable: Iterable[str]) -> str:
    usable = list(usable)
    return did_you_mean(wanted, usable) if usable else "it has no strategy at all"


def _is_strategy(value: type[Any]) -> bool:
    """Returns whether it is a bt.Strategy, without importing backtrader, which a file with one has imported."""
    backtrader = sys.modules.get("backtrader")
    return backtrader is not None and issubclass(value, backtrader.Strategy)


def _as_rule(path: Path, found: type[Any], code: Code | None) -> type[Rule]:
    made = _own_rule(path, found) if issubclass(found, Rule) else strategy_type(found)
    if made.name in registry.rules():
        raise InputError(f"{path}: the name {made.name!r} is that of a built-in strategy; choose another")
    made.code = code
    return made


def _own_rule(path: Path, found: type[Rule]) -> type[Rule]:
    """Completes a user's class: a dataclass if it is none yet, a name, a line about it, checked weights."""
    if "__dataclass_params__" not in vars(found):
        try:
            found = dataclasses.dataclass(frozen=True, kw_only=True)(found)
        except (TypeError, ValueError) as wrong:
            raise InputError(f"{path}: {found.__name__}: {wrong}") from None
    if inspect.isabstract(found):
        raise InputError(f"{path}: {found.__name__} lacks the method observe(self, view)")
    if found.step is Rule.step and found.advance is Rule.advance and found.decide is Rule.decide:
        raise InputError(f"{path}: {found.__name__} lacks the method step(self, state, rows)")
    for field in dataclasses.fields(found):
        if field.default is dataclasses.MISSING:
            raise InputError(f"{path}: {found.__name__}.{field.name} has no default; give it one")
    try:
        typing.get_type_hints(found)
    except (NameError, TypeError, AttributeError, SyntaxError) as wrong:
        raise InputError(f"{path}: {found.__name__}: a type cannot be read: {error_text(wrong)}") from None
    if "name" not in vars(found):
        found.name = found.__name__
    if "about" not in vars(found):
        found.about = first_line(found)
    found.decide = check_weights(path, found.decide)  # type: ignore[method-assign,assignment] # the user's class is guarded
    return found


def first_line(found: type[Any]) -> str:
    """Returns the first line of a class's own docstring; "" without one."""
    text = (vars(found).get("__doc__") or "").strip()
    return text.splitlines()[0] if text else ""
