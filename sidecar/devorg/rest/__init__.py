"""The REST API under /services/data: records, queries, composites, descriptions."""
