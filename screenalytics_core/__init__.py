"""The pipeline itself: algorithms, contracts and storage, without any Dagster import."""
