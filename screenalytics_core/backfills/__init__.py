"""Backfills: which episodes of a selection to run, what was asked for, how far it is. Pure."""
