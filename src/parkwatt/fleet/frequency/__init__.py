"""Answering the grid's frequency: the curve, the reserve that cars can hold, and how well the answer was."""
