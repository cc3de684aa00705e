"""Rule language, engine and shipped rule base."""
