"""Replaying a file of grumbles against a scoring service.

    sources ─▶ convert ─▶ pipeline (BatchScore in flight) ─▶ journal ─▶ OUT, rejects
       spec ─────┘                                              └─▶ summary (metrics)

Everything streams: memory depends on the batches in flight, not on the file. What is
done is on disk in ``OUT.partial/`` and a journal says how far it is whole, so that an
interrupted replay goes on where it was, without a row lost or scored into OUT twice.
"""
