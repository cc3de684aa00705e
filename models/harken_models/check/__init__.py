"""``harken data check``: what is to be known of an operator's data before a model is trained.

Detectors of one family share a module and read a ``Look``; ``run`` puts them in order, ``words``
says what they find. Clean data gives no finding, so one that is given is worth reading.
"""
