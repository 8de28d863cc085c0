"""One command per claim of the README: `python -m benchmarks` runs all, `python -m benchmarks NAME` one.

Belongs here: measuring, printing, and writing docs/performance.md. Nothing here is imported by the product,
and no test asserts a time.
"""
