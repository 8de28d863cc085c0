"""The gate: rule catalogue, verdict, waivers, Great Expectations checkpoint, Data Docs.

Here belongs whatever decides whether this night's candidates may be published. Reading files (ingestion),
computing figures (dbt_project) and writing releases (exports) do not. Nothing here imports dagster;
great_expectations is imported only inside the functions that run it, because it costs five seconds and 280
MB.
"""
