"""Holds the analysis against the truth of made-up stores, thousands of times.

`stores` makes stores and the population they are drawn from, `fixed` is the family that stands in
for the search, `truth` tells what a fitted model is really worth, `measures` (with `contrasts`,
`profits` and `factors`) runs the stages on one store, `claims` and `page` sum up what came out,
`run` is the command. It shows that the code keeps its claims in these worlds, not that the figures
of a real store are right.
"""
