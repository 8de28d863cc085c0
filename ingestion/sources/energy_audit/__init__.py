"""Energy audits (能源审计): report workbooks."""
