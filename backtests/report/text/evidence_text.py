"""Prints evidence for a terminal: documents in, lines of at most 100 columns out. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from backtests.report.text.table import WIDTH, grid, number, p_value

_WORST = frozenset({"ruin", "margin-calls"})  # findings of the critique that come first


def notes(document: Mapping[str, Any]) -> Iterator[str]:
    """Prints what the result does not show."""
    for note in document["notes"]:
        yield from textwrap.wrap(note, WIDTH, initial_indent="· ", subsequent_indent="  ")


def _stars(tests: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    return next(test for test in tests if test["test"] == name)


def study_text(document: Mapping[str, Any]) -> str:
    """Prints the event study: groups with effective N and robust tests first, then the symbols."""
    span, estimation = document["window"], document["estimation"]
    lines = [
        (
            f"{document['episode']}: event study, {document['model']} model against {document['benchmark']}, "
            f"estimated {estimation['first']} to {estimation['last']}"
        ),
        (
            f"({estimation['sessions']} sessions, {estimation['gap_sessions']} left out before the window); window "
            f"{span['from']:+d} to {span['to']:+d} sessions"
        ),
    ]
    for event in document["events"]:
        first = f"; first headline known {event['known_at'][:16]}Z" if event["known_at"] else ""
        shut = f"{event['day']} (exchange shut): " if event["closed_day"] else ""
        lines.append(f"event: {shut}{event['session']}, base price: close of {event['base_session']}{first}")
    for part, title in (("event", "On the event's session alone"), ("window", "Over the whole window")):
        lines += [
            "",
            f"{title} (AAR in %; two-sided p of each test, * not robust to common days)",
            *_group_rows(document, part),
        ]
    lines += ["", "Symbols (on the event's session; q: false discovery rate; cumulated: whole window, 95 % band)"]
    lines += [*_symbol_rows(document), "", *notes(document)]
    return "\n".join(lines) + "\n"


def studies_text(documents: Sequence[Mapping[str, Any]]) -> str:
    """Prints several event studies: what is exposed to AI demand, on the event's session and over the window."""
    head = ("episode (* = control)", "event", "N", "effective N", "AAR %", "K-P", "rank", "window %", "K-P", "rank")
    rows = []
    for each in documents:
        sample = each["groups"][0]
        cells = [f"{each['episode']}{'*' if each['control'] else ''}", each["events"][0]["session"], str(sample["n"])]
        cells.append(f"{sample['n_effective']:.1f}")
        for part in ("event", "window"):
            tests = sample[part]["tests"]
            cells.append(number(sample[part]["aar_pct"]))
            cells += [p_value(_stars(tests, name)["p"]) for name in ("kolari-pynnonen", "corrado")]
        rows.append(cells)
    first, controls = documents[0], any(each["control"] for each in documents)
    lines = [
        f"Event study of the key sessions, {first['model']} model: what is exposed to AI demand (two-sided p, robust)",
        *grid(head, rows),
        f"Each event is the key session of its episode.toml{'; of a control (*), nothing happened on it' * controls}.",
    ]
    return "\n".join(lines) + "\n"


def _group_rows(document: Mapping[str, Any], part: str) -> Iterator[str]:
    head = ("group", "N", "effective N", "AAR %", "K-P", "adj. Patell", "rank", "BMP*", "Patell*")
    rows = []
    for group in document["groups"]:
        tests = group[part]["tests"]
        names = ("kolari-pynnonen", "adjusted-patell", "corrado", "bmp", "patell")
        rows.append(
            (
                group["group"],
                str(group["n"]),
                f"{group['n_effective']:.1f}",
                number(group[part]["aar_pct"]),
                *(p_value(_stars(tests, name)["p"]) for name in names),
            )
        )
    return grid(head, rows)


def _symbol_rows(document: Mapping[str, Any]) -> Iterator[str]:
    head = ("symbol", "session", "beta", "return %", "exp. %", "abnormal %", "t", "p", "q", "cumul. %", "band %")
    rows = []
    for each in document["symbols"]:
        zero = next(day for day in each["days"] if day["offset"] == 0)
        last = each["days"][-1]
        rows.append(
            (
                each["symbol"],
                each["event_session"],
                number(each["beta"], sign=False),
                number(zero["return_pct"]),
                number(zero["expected_pct"]),
                number(zero["abnormal_pct"]),
                number(each["t"], 1),
                p_value(each["p"]),
                p_value(each["q_bh"]),
                number(each["car_pct"]),
                f"{number(last['low_pct'], 0)} … {number(last['high_pct'], 0)}",
            )
        )
    return grid(head, rows)


def critique_text(document: Mapping[str, Any]) -> str:
    """Prints what is severe against each strategy that is no baseline."""
    lines = ["What speaks against each strategy (severe points; all, of baselines too: evidence/critique.json)"]
    for row in [each for each in document["strategies"] if not each["baseline"]]:
        severe = [finding["says"] for finding in row["findings"] if finding["grade"] == "severe"]
        text = f"{row['strategy']}: {' '.join(severe) if severe else 'nothing severe.'}"
        lines += textwrap.wrap(text, WIDTH, subsequent_indent="    ", break_on_hyphens=False)
    return "\n".join(lines) + "\n"


def gravest(document: Mapping[str, Any], shown: int = 3) -> list[str]:
    """Returns the gravest objections: ruin and margin calls first, then what speaks against most strategies.

    The first line is a heading, or says that there are none.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for row in document["strategies"]:
        for finding in row["findings"] if not row.get("baseline") else ():
            if finding["grade"] == "severe":
                found.setdefault(finding.get("code", finding["says"]), []).append((row["strategy"], finding["says"]))
    worst = sorted(found.items(), key=lambda item: (item[0] not in _WORST, -len(item[1])))
    lines = []
    for _, hits in worst[:shown]:
        name, says = hits[0]
        lines.append(f"{name}: {says}" + (f" ({len(hits) - 1} more: the like)" if len(hits) > 1 else ""))
    return [
        "gravest objections (all: --verbose)" if lines else "objections: nothing severe against any strategy",
        *lines,
    ]


def gravest_text(document: Mapping[str, Any]) -> str:
    """Prints them for the first screen."""
    head, *lines = gravest(document)
    broken = [
        part for line in lines
        for part in textwrap.wrap(f"− {line}", WIDTH, subsequent_indent="    ", break_on_hyphens=False)
    ]  # fmt: skip
    return "\n".join([head, *broken]) + "\n"


def trials_line(document: Mapping[str, Any]) -> str:
    """Says how many configurations were tried, and where the best of this run stands among them."""
    says = document["says"]
    return f"On these data and window: {says}"


def trials_text(document: Mapping[str, Any]) -> str:
    """Prints how many configurations were tried, and what that leaves of the best of a run."""
    measured = [row for row in document["strategies"] if row["dsr"] is not None]
    best = max(measured, key=lambda row: row["dsr"], default=None)
    text = trials_line(document)
    if best:
        text += (
            f"; {best['strategy']}: deflated Sharpe ratio {best['dsr']:.2f} (probability that the true Sharpe is above "
            f"the best of {document.get('effective_trials', document['tried']):,} lucky ones)"
        )
    ledger = document["ledger"]
    text += "" if ledger["intact"] else f"; the ledger is BROKEN: {ledger['broken']}"
    return "\n".join(textwrap.wrap(text, WIDTH, subsequent_indent="    ")) + "\n"


def delay_text(document: Mapping[str, Any]) -> str:
    """Prints the profit against how late the news came."""
    rungs = document["rungs"]
    head = ("strategy", *(rung["delay"].replace(" sessions", " s.").replace(" session", " s.") for rung in rungs))
    rows = [
        (("· " if each["baseline"] else "") + each["strategy"], *(number(profit, 0) for profit in each["profit_usd"]))
        for each in document["strategies"]
    ]
    if held := document.get("benchmark"):
        rows.append((f"= {held['symbol']} held", *[number(held["profit_usd"], 0)] * len(rungs)))
    rows.append(("headlines moved", *(str(rung["moved_headlines"]) for rung in rungs)))
    where = document["auctions"] if document["auctions"] != "bars" else f"bars of {document['bars']}"
    lines = [
        f"{document['episode']}: profit in US dollars had the news come later (s.: sessions), traded at: {where}",
        *grid(head, rows),
    ]
    named = [rung for rung in rungs if rung["delay"] in {"next open", "next close"}]
    lines += [f"{rung['delay']}: acts at {rung['acts_at']}" for rung in named]
    return "\n".join([*lines, *notes(document)]) + "\n"


def placebo_text(document: Mapping[str, Any]) -> str:
    """Prints a strategy's result beside that of its placebos."""
    head = ("placebo", "n", "profit: mean", "5 %", "95 %", "p", "abnormal %: mean", "5 %", "95 %", "p")
    rows = []
    for kind in document["kinds"]:
        cells = []
        for part, digits in (("profit", 0), ("abnormal", 2)):
            found = kind[part]
            if found is None:
                cells += ["–"] * 4
                continue
            low, high = found["quantiles"]["5"], found["quantiles"]["95"]
            cells += [number(found["mean"], digits), number(low, digits), number(high, digits), p_value(found["p"])]
        rows.append((kind["kind"], str(kind["n"]), *cells))
    actual = document["actual"]
    lines = [
        (
            f"{document['episode']}: {document['strategy']} made {number(actual['profit_usd'], 0)} US dollars; "
            f"abnormal return with its news {number(actual['abnormal_pct'])} %"
        ),
        f"Placebos (seed {document['seed']}, engine {document['engine']}); p = (1 + at least as good) / (1 + n)",
        *grid(head, rows),
    ]
    for kind in document["kinds"]:
        said = [f"{kind['kind']}: {kind['about']}"]
        said += [kind["note"]] if kind["note"] else []
        said += [f"smallest p that was possible {p_value(kind['profit']['least_p'])}"] if kind["profit"] else []
        if kind["least_edge_per_trade_usd"] is not None:
            said.append(
                f"{document['trades']} trades show an edge of {number(kind['least_edge_per_trade_usd'], 0)} US dollars "
                f"each ({number(kind['least_edge_per_trade_pct'])} % of the entry) with probability 0.8"
            )
        lines += textwrap.wrap("; ".join(said), WIDTH, subsequent_indent="    ")
    return "\n".join([*lines, *notes(document)]) + "\n"


def attribution_text(document: Mapping[str, Any], top: int = 10) -> str:
    """Prints the headlines that made and lost the most, and what leaving one out would have changed."""
    lines = [f"{document['episode']}: profit in US dollars, attributed to the headlines that made the positions"]
    for each in document["strategies"]:
        lines += ["", f"{each['strategy']}: {number(each['profit_usd'], 2)}, residual {each['residual_usd']:.1e}"]
        rows = [
            (row["known_at"][:16], number(row["profit_usd"], 0), textwrap.shorten(row["title"], 66, placeholder=" …"))
            for row in each["headlines"][:top]
        ]
        if each["without_headline_usd"]:
            rows.append(("", number(each["without_headline_usd"], 0), "(positions that no headline made)"))
        if each.get("remainder_usd"):
            rows.append(("", number(each["remainder_usd"], 0), "(headlines with less than a thousandth of a position)"))
        lines += [f"  {when:16}  {profit:>9}  {title}" for when, profit, title in rows]
        lines += _left_out(each["leave_one_out"] or [])
    return "\n".join([*lines, "", *notes(document)]) + "\n"


def _left_out(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for by in ("headline", "source", "language", "symbol", "day"):
        mine = [row for row in rows if row["by"] == by and row["change_usd"]][:3]
        if mine:
            named = [f"{row['title'] or row['left_out']} {number(row['change_usd'], 0)}" for row in mine]
            yield from textwrap.wrap(f"  without one {by}: " + "; ".join(named), WIDTH, subsequent_indent="    ")


def gaps_text(document: Mapping[str, Any]) -> str:
    """Prints where each strategy's money came from by part of the day, and what its holdings missed."""
    head = ("strategy", "before", "to entry", "session", "gaps", "sessions", "costs", "profit")
    rows = []
    for each in document["strategies"]:
        made, missed = each["made_usd"], each["missed_usd"]
        costs = sum(made[name] for name in ("commission", "slippage", "borrow", "dividends", "interest"))
        parts = (made["entry_open_to_close"], made["later_gaps"], made["later_sessions"], costs, each["pnl_usd"])
        cells = (missed["before_known"], missed["known_to_executable"], *parts)
        rows.append((each["strategy"], *(number(cell, 0) for cell in cells)))
    title = (
        "Gap split in US dollars. Missed: before the news, from it to the entry. Made: the entry's session,\n"
        "later gaps, later sessions, costs."
    )
    return "\n".join([title, *grid(head, rows), *notes(document)]) + "\n"
