"""The `backtest` command: parse, call one library function, print. Data to stdout, everything else to stderr.

Exit codes: 0 done, 1 ran and found something wrong, 2 wrong use or input. A verb is a module of backtests/commands.
"""

from __future__ import annotations

import sys

import click

from backtests.commands import claim, episodes, init, listings, run, score, sweep, trials
from backtests.commands.evidence import (
    attribute,
    counterexamples,
    delay,
    flawless,
    masked,
    placebo,
    resample,
    signal,
    study,
)
from backtests.commands.feeds import intake
from backtests.commands.forward import next_open, portfolios
from backtests.commands.options import Verbs, option_hint, quiet_option
from backtests.commands.saved_runs import audit, compare, diff, plot, tearsheet, verify
from backtests.commands.terminal import safe
from feeds.errors import InputError

VERSION = "0.1.0"


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="backtest")
def cli() -> None:
    """Replays news episodes honestly: nothing in a replay may know what was not known then.

    \b
    Example:
      backtest run deepseek-2025
    """


_VERBS = (
    run.run, next_open.next_open, portfolios.watch, portfolios.forward, compare.compare, diff.diff,
    verify.verify, audit.audit, tearsheet.tearsheet, plot.plot, study.study, delay.delay, placebo.placebo,
    resample.resample, signal.signal, masked.masked, flawless.flawless, sweep.sweep, attribute.attribute,
    counterexamples.counterexamples, trials.trials, episodes.episodes, listings.strategies, listings.scorers,
    score.score, claim.claim, init.init, episodes.check, intake.feeds,
)  # fmt: skip
for _verb in _VERBS:
    cli.add_command(_verb)
quiet_option(cli)


def main() -> None:
    """Runs the command; a user's mistake ends in one line and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")  # the same bytes in every locale
    sys.stdout, sys.stderr = safe(sys.stdout), safe(sys.stderr)
    stderr = sys.stderr  # --quiet may have turned it off when an error is found
    try:
        cli(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", file=stderr)
        sys.exit(130)
    except click.NoSuchOption as wrong:
        click.echo(f"error: {option_hint(wrong, sys.argv[1:])}", file=stderr)
        sys.exit(2)
    except click.ClickException as wrong:
        click.echo(f"error: {wrong.format_message()}", file=stderr)
        sys.exit(2)
    except InputError as wrong:
        click.echo("error: " + " ".join(str(wrong).split()), file=stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; nothing is left to say
        sys.exit(0)
