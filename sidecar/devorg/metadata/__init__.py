"""The Metadata API: deployments, what they change, and what can be read back."""
