"""One asset per artifact: the same file names as `screenalytics_core.steps`."""
