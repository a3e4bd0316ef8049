"""The laboratory of the tutorial on campaigns: prints and crushes what is proposed, by a table."""

import csv
import sys
from pathlib import Path

TABLE = Path(__file__).parents[2] / "resources/campaigns/crossed_barrel.csv"
SETTINGS = ("struts", "twist_deg", "strut_radius_mm", "strut_thickness_mm")


def main(proposals: str, results: str) -> None:
    """Write the first measurement of each proposal into a table of results."""
    measured: dict[tuple[float, ...], str] = {}
    with TABLE.open() as file:
        for row in csv.DictReader(file):
            measured.setdefault(tuple(float(row[s]) for s in SETTINGS), row["toughness_J"])
    with open(proposals) as asked, open(results, "w") as told:
        told.write("id,toughness_J\n")
        for row in csv.DictReader(asked):
            told.write(f"{row['id']},{measured[tuple(float(row[s]) for s in SETTINGS)]}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
