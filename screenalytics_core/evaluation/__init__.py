"""How right is a run: labelled truth, metrics with their sources, and one verdict.

Pure: values in, values out. Files are read by the command line; vision and the artifacts'
shapes lie below, nothing of the pipeline imports this.
"""
