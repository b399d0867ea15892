"""One pure step per artifact: tables, frames, models and settings in, rows out."""
