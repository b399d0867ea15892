"""What people decided about an episode, and how it holds when the machine finds others."""
