"""`backtest strategies`, `backtest scorers`, and how listings are printed."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command()
@click.argument("names", nargs=-1, metavar="[STRATEGY]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON list on stdout.")
def strategies(names: tuple[str, ...], as_json: bool) -> None:
    """Lists the strategies, the baselines among them, with their parameters; or those named, your own files too.

    \b
    Example:
      backtest strategies shock my_rule.py
    """
    from backtests.user_strategies.loading import rule_type
    from strategies.registry import rules

    found = [rule_type(name) for name in names] or list(rules().values())

    rows: list[dict[str, Any]] = [
        {
            "strategy": rule.name,
            "baseline": rule.is_baseline,
            "about": rule.about,
            "params": rule.with_settings({}).parameters,
            "parameters": rule.described(),
        }
        for rule in found
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row['strategy']}{' (baseline)' if row['baseline'] else ''}: {row['about']}")
        for each in row["parameters"]:
            choices = f" ({' | '.join(map(str, each['choices']))})" if each["choices"] else ""
            unit = f" {each['unit']}" if each["unit"] else ""
            about = f": {each['about']}" if each["about"] else ""
            click.echo(f"    {each['name']}={each['default']}{unit}{choices}{about}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON list on stdout.")
def scorers(as_json: bool) -> None:
    """Lists the scorers, the default first, with the day until which each has learned.

    \b
    Example:
      backtest scorers
    """
    from feeds.scorers.registry import scorers as known

    if as_json:
        rows = [
            {
                "scorer": each.name,
                "version": each.version,
                "trained_until": each.trained_until.isoformat() if each.trained_until else None,
                "about": each.about,
            }
            for each in known().values()
        ]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for each in known().values():
        until = f"trained on data until {each.trained_until}" if each.trained_until else "nothing in it is trained"
        click.echo(f"{each.label}: {each.about}; {until}")


def listing(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    """Prints rows, each as a block of lines, or all as one JSON list."""
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        first, *rest = row.items()
        click.echo(f"{first[1]}")
        for key, value in rest:
            click.echo(f"    {key}: {value}")
