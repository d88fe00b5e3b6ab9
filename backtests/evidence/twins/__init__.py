"""Runs strategies on the same news read otherwise: with names masked, and without a mistake."""
