"""Measurements of the product against a naive peer; nothing in here is shipped."""
