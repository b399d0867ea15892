"""A season of short composed episodes with a shared cast, and the show of what is done with it."""
