"""Shows a finished run as text for a terminal and as one offline page.

A run's record comes in, text goes out. Nothing here computes a result, and nothing reads the clock or the network.
"""
