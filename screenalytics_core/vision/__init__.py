"""Algorithms on arrays; no path, no clock, no storage."""
