"""Writes the example district from a fixed seed.

Belongs here: drawing institutions and buildings, scaling them once per carrier, writing files in the shapes
of the platforms, planting defects, and the truth files. Does not belong here: anything the product runs on.
"""
