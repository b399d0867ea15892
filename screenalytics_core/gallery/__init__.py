"""The cast of a show: who they are, and what their faces look like."""
