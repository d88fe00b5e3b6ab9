"""Claims are checked against prices, each kind by a threshold that is stated beside the verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from backtests.episodes.claim_checks import CheckedClaim, check_claims
from backtests.episodes.episode import load_episode
from feeds.errors import InputError


def checked(folder: Path, claim: str) -> CheckedClaim:
    """The claim beside NVDA's prices: closes 142.62 on 24 January, 118.42 on 27, 128.99 on 28, 123.70 on 29."""
    with (folder / "episode.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[[claims]]\nsymbol = "NVDA"\nsaid = "mine"\n{claim}\n')
    return check_claims(load_episode(folder))[-1]


KINDS = {
    "up": ('session = 2025-01-28\nkind = "up"', "confirmed", 8.93, "above 0 %"),
    "up, on a day of loss": ('session = 2025-01-27\nkind = "up"', "contradicted", -16.97, "above 0 %"),
    "down": ('session = 2025-01-29\nkind = "down"', "confirmed", -4.10, "below 0 %"),
    "massive": ('session = 2025-01-29\nkind = "massive"', "contradicted", -4.10, "of −5 % or lower"),
    "move over two sessions": (
        'session = 2025-01-28\nkind = "move"\nsince = 2025-01-24\nreported = -9.5\ntolerance = 0.1',
        "confirmed", -9.56, "since the close of 2025-01-24 within 0.1 points of −9.5 %",
    ),
    "move that was less": (
        'session = 2025-01-28\nkind = "move"\nsince = 2025-01-24\nreported = -12\ntolerance = 1',
        "contradicted", -9.56, "within 1 points of −12 %",
    ),
    "level": ('session = 2025-01-27\nkind = "level"\nreported = 118.4\ntolerance = 0.05', "confirmed", 118.42,
              "close within 0.05 of 118.4"),
    "level missed": ('session = 2025-01-27\nkind = "level"\nreported = 120\ntolerance = 1', "contradicted", 118.42,
                     "within 1 of 120"),
    "record high": ('session = 2025-01-06\nkind = "record"', "confirmed", 149.43, "above every earlier close"),
    "no record high": ('session = 2025-01-28\nkind = "record"\nrecord = "high"', "contradicted", 128.99, "above every"),
    "record fall": ('session = 2025-01-27\nkind = "record"\nrecord = "fall"', "confirmed", -16.97,
                    "below every earlier session's"),
    "no record rise": ('session = 2025-01-28\nkind = "record"\nrecord = "rise"', "contradicted", 8.93, "above every"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_verdict_and_states_its_threshold(folder, kind):
    """The figures are Nvidia's published closes, the returns worked out by hand."""
    claim, verdict, measured, criterion = KINDS[kind]
    row = checked(folder, claim)
    assert (row.verdict, row.measured) == (verdict, pytest.approx(measured, abs=0.02))
    assert criterion in row.criterion


def test_every_claim_that_ships_states_its_criterion(folder):
    """With the figure that decides."""
    criteria = {(row.symbol, row.kind): row.criterion for row in check_claims(load_episode(folder))}
    assert criteria["META", "massive"] == "return of −5 % or lower"
    assert criteria["NVDA", "return"].startswith("return within ")


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ('session = 2025-01-28\nkind = "move"\nreported = -9.5', "needs since"),
        ('session = 2025-01-28\nkind = "up"\nsince = 2025-01-24', "other kinds have none"),
        ('session = 2025-01-28\nkind = "move"\nsince = 2025-01-28\nreported = 1', "must be before session"),
        ('session = 2025-01-28\nkind = "level"', "needs reported"),
        ('session = 2025-01-28\nkind = "record"\nrecord = "top"', "high, low, rise, fall"),
        ('session = 2025-01-28\nkind = "level"\nreported = 1\ntolerance = -1', "0 or more"),
    ],
)
def test_a_claim_that_lacks_what_its_kind_needs_is_refused(folder, claim, words):
    """With its line."""
    with pytest.raises(InputError, match=f"episode.toml:.*{words}"):
        checked(folder, claim)


def test_a_comment_that_names_claims_does_not_move_the_line(folder):
    """The head of a new episode.toml explains [[claims]]; the line of a wrong claim is the claim's own."""
    path = folder / "episode.toml"
    path.write_text("# [[claims]]\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        checked(folder, 'session = 2025-01-28\nkind = "level"')
    line = int(str(refused.value).split("episode.toml:")[1].split(":")[0])
    assert path.read_text(encoding="utf-8").splitlines()[line:][1] == 'said = "mine"'


def test_a_move_from_a_day_without_a_close_is_not_testable(folder):
    """A Sunday has none."""
    row = checked(folder, 'session = 2025-01-28\nkind = "move"\nsince = 2025-01-26\nreported = -9.5\ntolerance = 1')
    assert (row.verdict, row.note) == ("not testable", "no close of 2025-01-26")
