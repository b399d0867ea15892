"""Pages for people, made on the server: the episodes, a run at work, who is in it."""
