"""What is looked at in every published artifact: pure checks over values, and their Dagster side.

`registry` says which asset has which checks, `evaluation` turns them into Dagster's specs and
results; the other modules hold the checks and know no Dagster.
"""
