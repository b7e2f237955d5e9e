"""One module for each thing that is measured; each has measure(session)."""
