"""Colours of all figures."""

BLUE, ORANGE, GREEN, GREY = "#1f6feb", "#e8590c", "#2b8a3e", "#868e96"
PALE = "#ced4da"
#: Colours of series that differ in kind.
SERIES = (BLUE, ORANGE, GREEN, "#9c36b5", "#c2255c", "#0b7285", "#846358", "#5f3dc4")
