"""A generated home to try Parkwatt on: load, sun, prices and trips by documented formulas.

The formulas, and where their levels come from, stand in docs/concepts/demo-home.md.
"""
