"""Fills orders, keeps the account, charges costs, checks margin; docs/broker.md has every formula."""
