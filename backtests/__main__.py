"""`python -m backtests` is the `backtest` command."""

from backtests.cli import main

if __name__ == "__main__":
    main()
