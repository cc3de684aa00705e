"""What a change of the rule base would have done to a history of grumbles.

history ─▶ both engines ─▶ tally (one a chunk, added up) ─▶ summary ─▶ text, JSON, page
"""
