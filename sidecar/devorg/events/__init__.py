"""Platform events and change events, over the org's Pub/Sub API."""
