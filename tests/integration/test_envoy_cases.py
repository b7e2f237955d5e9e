"""The test kit's Envoy is held to the real one: each case of tests/envoy_cases is played by both, and must end alike."""
