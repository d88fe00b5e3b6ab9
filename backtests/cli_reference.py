"""The reference of all commands as one page, made from their own help."""

from __future__ import annotations

from collections.abc import Iterator

import click

_HEAD = """# The command line

Made from `--help` by `make docs`; a test compares. Data go to stdout, progress and notes to stderr (no progress where
that is no terminal). `--quiet`, before or after the verb, leaves out all that would go to stderr but errors.

Exit codes: 0 done, 1 ran and found something (a decision that knew the future, a byte or a run that differs), 2 wrong
use or input, in one line. The output has no colours, so NO_COLOR has nothing to switch off.

Completion: `eval "$(_BACKTEST_COMPLETE=bash_source backtest)"` (`zsh_source`, `fish_source`) in the shell's start file.
"""


def commands(group: click.Command, name: str = "backtest") -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name, groups before their verbs."""
    yield name, group
    if isinstance(group, click.Group):
        for verb in sorted(group.commands):
            yield from commands(group.commands[verb], f"{name} {verb}")


def reference(group: click.Group) -> str:
    """The page, in Markdown."""
    parts = [_HEAD]
    for name, command in commands(group):
        context = click.Context(
            command, info_name=name, help_option_names=["-h", "--help"], terminal_width=100, max_content_width=100
        )
        parts.append(f"## {name}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    from backtests.cli import cli

    click.echo(reference(cli), nl=False)
