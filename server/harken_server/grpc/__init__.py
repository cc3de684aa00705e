"""The transport: ``harken.v1`` in, ``harken.v1`` out; nothing here decides anything."""
