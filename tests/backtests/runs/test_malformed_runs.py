"""A run's folder that was changed in any way is refused in one line, or read; it never ends in a traceback."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import shutil
from datetime import date

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backtests import load_episode, replay
from backtests.auditing.reproduction import rerun
from backtests.broker.terms import BrokerTerms
from backtests.cli import cli
from backtests.engine.news import read_news
from backtests.engine.schedule import place_news
from backtests.evidence.registry import METHODS, gather, method_named, shape_of
from backtests.records.run_diff import differences
from backtests.records.shape import check
from backtests.report.page import compare_page
from backtests.report.text.verdict import verdict
from backtests.runs.folder import page_of, read_run
from backtests.runs.result import Result
from backtests.runs.saved_shape import CARD, DOCUMENT, check_run
from backtests.user_strategies.selection import standard_rules
from feeds.errors import InputError

VERBS = ("verify", "audit", "study", "delay", "placebo", "attribute", "diff", "compare", "trials verify")
VALUES = (
    None, True, 0, -1, 3.5, 1e17, 1e18, 1e300, 10**30, float("nan"), float("inf"), "", "x", "../../etc", "/etc/passwd",
    "2025-01-27", "9999-12-31", "0001-01-01", "2025-01-27T10:00:00", "\ud800", "\x1b[31m<b>", [], {}, [1], [[]], {"a": 1},
)  # fmt: skip
CELLS = ("", "nan", "inf", "-1", "0", "1e400", "1e17", "x", "\0", '"', "9999-12-31", "0001-01-01", "9" * 5000, "'=x")
FILES = ("run_card.json", "metrics.json", *(f"evidence/{name}.json" for name in ("gaps", "attribution", "critique")))
TABLES = ("equity", "fills", "orders", "trades", "scores", "bars", "sessions", "targets", "signals", "flows")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """The folder of a short run with the evidence that every run has."""
    episode = load_episode("deepseek-2025", start=date(2025, 1, 24), end=date(2025, 1, 29))
    rules = standard_rules(["shock"], {"reactions": "include"})
    news = place_news(episode, read_news(episode), BrokerTerms())
    result = replay(episode, rules, news=news)
    gather(result, rules, episode, news)
    return result.save(tmp_path_factory.mktemp("good") / "run")


def is_read_or_refused(folder, good):
    """Reads a changed run as every verb does, and uses it; a refusal is an InputError."""
    try:
        run = read_run(folder)
    except InputError:
        return
    page_of(run).encode()
    compare_page([("one", read_run(good)), ("other", run)]).encode()
    differences(run, read_run(good))


def changed(document, data):
    """Changes one value somewhere in a document: removed, another, one more, or none left."""
    document, value, above = copy.deepcopy(document), None, []
    value = document
    while isinstance(value, dict | list) and value and (not above or data.draw(st.integers(0, 5))):
        key = data.draw(st.sampled_from(list(value) if isinstance(value, dict) else range(len(value))))
        above.append((value, key))
        value = value[key]
    place, key = above[-1]
    how = data.draw(st.sampled_from(["remove", "put", "put", "repeat", "empty"]))
    if how == "remove":
        del place[key]
    elif how == "put" or isinstance(place, dict):
        place[key] = data.draw(st.sampled_from(VALUES))
    elif how == "repeat":
        place.append(copy.deepcopy(place[key]))
    else:
        place.clear()
    return document


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_json_with_a_value_changed_anywhere_is_read_or_refused(good, tmp_path, data):
    """Types, missing keys, huge numbers, no numbers, texts that are none."""
    name = data.draw(st.sampled_from(FILES))
    folder = shutil.copytree(good, tmp_path / "run", dirs_exist_ok=True)
    (folder / name).write_text(json.dumps(changed(json.loads((folder / name).read_text()), data)))
    is_read_or_refused(folder, good)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_table_with_a_cell_changed_anywhere_is_read_or_refused(good, tmp_path, data):
    """Another value, a column more or less, rows gone, bytes that are no text."""
    folder = shutil.copytree(good, tmp_path / "run", dirs_exist_ok=True)
    path = folder / f"{data.draw(st.sampled_from(TABLES))}.csv"
    rows = [line.split(",") for line in path.read_text().split("\n")]
    row = data.draw(st.sampled_from(rows))
    how = data.draw(st.sampled_from(["put", "put", "put", "more", "less", "none", "bytes"]))
    if how == "put":
        row[data.draw(st.integers(0, len(row) - 1))] = data.draw(st.sampled_from(CELLS))
    elif how in {"more", "less"}:
        row[-1:] = ["x", "x"] if how == "more" else []
    text = "\n".join(",".join(each) for each in (rows[:1] if how == "none" else rows))
    path.write_bytes(text.encode() + (b"\xff" if how == "bytes" else b""))
    is_read_or_refused(folder, good)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_card_with_a_value_changed_anywhere_is_made_again_or_refused(good, tmp_path, data):
    """What `verify` does with it, replay included."""
    folder = shutil.copytree(good, tmp_path / "run", dirs_exist_ok=True)
    card = json.loads((folder / "run_card.json").read_text())
    (folder / "run_card.json").write_text(json.dumps({**card, "config": changed(card["config"], data)}))
    with contextlib.suppress(InputError):
        rerun(folder)


def places(value, path=(), kinds=None, kind=()):
    """Lists a place of each kind in a document: of a list's records one, and one of each type that a value has."""
    kinds = set() if kinds is None else kinds
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        own = (*kind, "*" if isinstance(value, list) else key)
        if (own, type(inner)) not in kinds:
            kinds.add((own, type(inner)))
            yield (*path, key)
        yield from places(inner, (*path, key), kinds, own)


def with_change(document, path, value):
    """A copy with another value in one place; `...`: without the key."""
    document = copy.deepcopy(document)
    *above, key = path
    place = functools.reduce(lambda found, each: found[each], above, document)
    if value is ...:
        del place[key]
    else:
        place[key] = value
    return document


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A run with every document of evidence, and all that its figures may hold."""
    folder = tmp_path_factory.mktemp("full") / "run"
    ledger = str(folder.parent / "trials.jsonl")
    labels = folder.parent / "labels.csv"
    first = read_news(load_episode("deepseek-2025")).items[0].headline.title.replace('"', "'")
    labels.write_text(f'title,compute_demand\n"{first}",1\n', encoding="utf-8")
    run = ["run", "deepseek-2025", "-s", "shock", "--set", "reactions=include", "--no-baselines"]
    run += ["--start", "2025-01-23", "--end", "2025-01-29"]
    verbs = (["study"], ["delay"], ["placebo", "-n", "20"], ["resample", "-n", "20", "--keep", "0.5"], ["signal"])
    verbs += (["masked"], ["flawless", "--labels", str(labels)])
    for words in (
        [*run, "--borrow", "1,5", "--trials", ledger, "-o", str(folder)],
        *([*v, str(folder)] for v in verbs),
    ):
        assert CliRunner().invoke(cli, words, catch_exceptions=False).exit_code == 0
    return read_run(folder)


OTHERS = (..., None, "x", "1", {"a": 1}, [None])


@pytest.mark.parametrize("name", ["figures", "configuration", *(method.name for method in METHODS)])
def test_whatever_reads_a_run_reads_what_its_shape_states(full, name):
    """Each key taken away and given other values, one by one: its shape refuses it, or everything can be drawn."""
    wrong = []
    document = {"figures": full.document, "configuration": full.config}.get(name) or full.evidence[name]
    shape = {"figures": DOCUMENT, "configuration": CARD["config"]}.get(name) or shape_of(name)
    for path in places(document):
        for value in OTHERS:
            other = with_change(document, path, value)
            run = Result(**vars(full))
            run.evidence = dict(full.evidence)
            if name == "figures":
                run.document = other
            elif name == "configuration":
                run.config = other
            else:
                run.evidence[name] = other
            try:
                check(other, shape)
                check_run(run)
            except (ValueError, InputError):
                continue
            try:
                if name in run.evidence:
                    method_named(name).page_section(other).encode()
                    verdict(run)
                else:
                    page_of(run).encode()
                    compare_page([("it", run)]).encode()
                    differences(run, full)
            except Exception as found:  # noqa: BLE001 (whatever it is, it is a fault)
                wrong.append((path, value, repr(found)))
    assert wrong == []


def test_a_delay_ladder_with_another_count_of_figures_than_rungs_is_refused(good, tmp_path):
    """Two figures of one delay."""
    folder = shutil.copytree(good, tmp_path / "run")
    ladder = {"rungs": [{"delay": "0 min"}], "strategies": [{"strategy": "x", "baseline": False, "return_pct": [1, 2]}]}
    (folder / "evidence" / "delay.json").write_text(json.dumps(ladder))
    with pytest.raises(InputError, match="not a figure a rung"):
        read_run(folder)


def test_a_null_in_the_configuration_which_toml_cannot_hold_is_refused(good, tmp_path):
    """Even under a key that nothing reads."""
    folder = shutil.copytree(good, tmp_path / "run")
    card = json.loads((folder / "run_card.json").read_text())
    (folder / "run_card.json").write_text(json.dumps({**card, "config": {**card["config"], "x": [None]}}))
    with pytest.raises(InputError, match="not TOML serializable"):
        read_run(folder)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b'{"config": NaN}', b'{"config": {"episode": 1e999}}', None],
)
def test_every_verb_refuses_a_broken_card_in_one_line(good, tmp_path, verb, content):
    """Empty, another type, cut off, no UTF-8, nested without end, no number, and a folder in its place."""
    folder = shutil.copytree(good, tmp_path / "run")
    for name in ("run_card.json", "evidence/trials.json"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).mkdir() if content is None else (folder / name).write_bytes(content)
    words = [*verb.split(), str(folder), *([str(good)] if verb in {"diff", "compare"} else [])]
    done = CliRunner().invoke(cli, words)
    assert isinstance(done.exception, InputError)
    assert str(folder) in str(done.exception)


@pytest.mark.parametrize("verb", VERBS[:-1])
def test_every_verb_recognises_half_of_a_run(good, tmp_path, verb):
    """A folder whose writing was stopped: no card yet, and under the name of one that is being written."""
    for name in ("cut", ".run.half-0123abcd"):
        folder = shutil.copytree(good, tmp_path / name)
        (folder / "run_card.json").unlink()
        words = [*verb.split(), str(folder), *([str(good)] if verb in {"diff", "compare"} else [])]
        assert "is half of a run" in str(CliRunner().invoke(cli, words).exception)


def test_every_document_of_evidence_that_a_run_gathers_has_the_shape_that_is_read(good):
    """And each method states one."""
    assert {"gaps", "attribution", "critique"} <= read_run(good).evidence.keys()
    assert all(method.shape for method in METHODS)
