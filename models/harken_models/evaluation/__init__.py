"""How good a bundle is on an operator's data: figures with intervals, lists, slices, drift.

scored      rows with outcome, probability, weight and group
metrics     figures of rows under weights, from sums over rows in order of probability
bootstrap   intervals and paired differences by resampling groups
capacity    the calls a day that specialists can make
slices, ages, drifted     where the figures differ, and what has moved since training
report      all of it as plain values; text, page and plots say them
"""
