"""A thin client of Harken's scoring service."""
