"""A season: its cast linked over episodes, and its screen time added up."""
