"""Random cases in the form of tests/envoy_cases: made by a seed, played by both players, and shrunk where they differ."""
