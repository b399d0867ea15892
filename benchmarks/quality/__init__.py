"""How right the product is: labelled clips, a tracking benchmark, composed episodes.

`python -m benchmarks.quality` runs, scores, compares with the last committed result and says
which limits hold.
"""
