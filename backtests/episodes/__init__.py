"""Reads an episode's folder and checks it: prices, dated tables, claims, stock loans, bars of minutes."""
