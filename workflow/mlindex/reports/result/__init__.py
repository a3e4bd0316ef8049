"""How an IndexingResult is shown: on the terminal, as data, as a CIF and as a page."""
