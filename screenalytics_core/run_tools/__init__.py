"""Questions about runs, answered from registry tables and run facts. Pure: plain data out."""
