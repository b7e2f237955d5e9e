"""What the attacks are built from. Only the standard library, and the harness of tests/integration."""
