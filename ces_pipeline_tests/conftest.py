"""Properties have no deadline: on a busy machine, an example that takes long says nothing about the product."""

from hypothesis import settings

settings.register_profile("without_deadline", deadline=None)
settings.load_profile("without_deadline")
