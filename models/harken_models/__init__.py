"""Data, features, training and bundles of the complaint-probability model."""
