"""Tests of ces_pipeline: unit/ mirrors the package; sql/, integration/, definitions/, drills/ and benchmarks/ run the real thing."""
