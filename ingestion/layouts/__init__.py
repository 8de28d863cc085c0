"""The layout language: its model, its fields, its expressions, and the files that layouts are written in."""
