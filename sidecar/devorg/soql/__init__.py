"""SOQL: read, check against the schema and a user's rights, run."""
