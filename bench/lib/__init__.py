"""What bench/run.py is built from."""
