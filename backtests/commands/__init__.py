"""The verbs of the `backtest` command, a module each."""
