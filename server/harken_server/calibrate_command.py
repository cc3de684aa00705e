"""``harken rules calibrate``."""
def calibrate() -> None:
    """Being written."""
