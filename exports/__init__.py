"""What leaves the house: immutable releases, their manifest, and reading them back.

Here belongs everything after the gate's pass: Parquet, the published database, the manifest, the switch
of `current`, read-only SQL. Deciding whether a build may be published (quality) and computing figures
(dbt_project) do not; the release step only calls the confirmation it is handed. Nothing here imports
dagster, dbt or great_expectations.
"""
