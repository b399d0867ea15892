"""Page layout and charts of the report."""
