"""The Tooling API: what has been deployed, as rows, and which flow version runs."""
