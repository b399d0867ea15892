"""The overlay: what a run found, burnt into a video for checking by eye."""
