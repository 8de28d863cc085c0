"""Composes ingestion, dbt, quality and exports into nights. The only package that imports dagster."""
