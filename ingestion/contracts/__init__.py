"""Pure models and functions that every package may import: no I/O, no polars, no duckdb."""
