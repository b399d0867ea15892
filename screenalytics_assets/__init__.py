"""The shells around the core: Dagster, the command line and HTTP."""
