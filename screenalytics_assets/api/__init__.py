"""The job API: HTTP over the same engine, stores and ledger as the command line."""
