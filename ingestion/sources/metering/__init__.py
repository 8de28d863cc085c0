"""Metering platform (能耗监测平台): national XML uploads, interval values, cumulative registers."""
