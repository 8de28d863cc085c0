{#- The schema a model names is its schema: raw, seeds, staging, core, marts and gate are words that
    ingestion, the gate and the release use too, so no target prefix may come before them. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name is not none else target.schema }}
{%- endmacro %}
