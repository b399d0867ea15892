"""Segments as files that editors and players open: EDL, FCPXML and WebVTT."""
