"""From follow-ups to the world: claim, act, settle; a module for each kind."""
