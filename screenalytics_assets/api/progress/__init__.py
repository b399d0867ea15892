"""Live progress of a run: its event log as seed 002's `appendProgress`, pushed and polled."""
