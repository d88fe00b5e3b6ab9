"""Looks at the times of a whole set of news: clocks that are off, stamps that are no times, feeds that fell silent."""

from feeds.doctor.examination import Examination, Finding, examine

__all__ = ["Examination", "Finding", "examine"]
