"""Replaying a file of grumbles, against a scoring service or with the scoring core at hand.

Row by row, which every client can:

    sources ─▶ convert ─▶ pipeline (BatchScore in flight) ─▶ RowSpool ─▶ OUT, rejects
       spec ─────┘                                              └─▶ tally ─▶ summary

By columns, where pyarrow is installed; every rule about cells is still ``convert``'s:

    slices ─▶ columns (+ convert) ─┬▶ streams (ReplayScores), wire ─┬▶ work ─▶ PartSpool ─▶ OUT
    csv_slices                     └▶ offline (processes) ──────────┘   lines, part_tally

Everything streams: memory depends on what is under way, not on the file. What is done is on
disk in ``OUT.partial/`` and a journal says what of it is whole, so that an interrupted replay
goes on where it was, without a row lost or scored into OUT twice.
"""
