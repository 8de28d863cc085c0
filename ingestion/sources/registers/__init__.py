"""Registers (名录库): institutions and buildings, with owners and areas."""
