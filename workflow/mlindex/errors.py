"""The one exception that people see: what was wrong, what was seen, what to do."""


class MlindexError(Exception):
    """A problem with input, config or data that the user can mend; shown without a traceback."""
