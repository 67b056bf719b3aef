"""PostHog: response exports."""

from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.posthog.reader import POSTHOG_CSV

VENDOR = Vendor("posthog", "PostHog", readers=(POSTHOG_CSV,))
