"""What ran, and how it went: an event log per run, one fold, and views of its state."""
