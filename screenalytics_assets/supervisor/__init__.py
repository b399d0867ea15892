"""What runs the jobs of a DAGSTER_HOME: one code server and one daemon, shared by all servers.

`place` says where it keeps its records, `process` is the supervisor's own process, `children`
are what it keeps alive, and `lease` is how `dev` and `api` take part.
"""
