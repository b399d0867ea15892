"""Where bytes live: one protocol, one module per backend."""
