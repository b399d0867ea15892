"""Who is let in, with how much, how often."""
