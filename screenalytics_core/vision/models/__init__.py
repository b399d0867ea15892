"""Model protocols, packs, and one adapter per vendor."""
