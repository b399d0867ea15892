"""Seasons: their episodes as they stand in the stores, and what is made of them."""
