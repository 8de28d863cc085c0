"""Bytes that arrive become sealed files and located text values. No SQL of the method, no orchestrator here."""
