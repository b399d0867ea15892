"""Hard episodes composed from known material, with exact truth in the labelled clips' format."""
