"""Harken's gRPC API."""
