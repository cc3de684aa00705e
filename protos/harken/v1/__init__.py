"""The first stable version of the API; generated code only."""
