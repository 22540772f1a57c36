"""Properties are tried on busy machines: how long an example takes proves nothing."""

from hypothesis import settings

settings.register_profile("sidecar", deadline=None)
settings.load_profile("sidecar")
