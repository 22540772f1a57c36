"""The face for admins: pages that a browser shows."""
