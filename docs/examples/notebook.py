"""Indexing in a notebook: a file read, its cell found, the result looked at.

In a notebook, a last line ``result`` alone shows a table of the cells, and ``result.plot()`` the
lines with tick marks below them.
"""

import mlindex

peaks = mlindex.read("resources/samples/silicon.txt")
print(peaks)

# The very first search on a machine compiles for half a minute, which counts as search time.
result = mlindex.index(peaks, lattices=["cubic"], time_limit_s=300)
print(result)

best = result.candidates[0]
print(f"a = {best.cell[0]:.4f} A, M20 = {best.m20:.1f}, convincing: {result.convincing}")

# Tables are data frames of pandas; docs/reference/tables.md names them and their columns.
cells = result.to_frame()
print(cells[["rank", "bravais_lattice", "a_A", "volume_A3", "probability"]].head(3))
lines = result.to_frame("candidate_lines")
print(lines.query("rank == 1 and indexed")[["line", "h", "k", "l"]].astype(int).head())

# A figure of plotly, with the first candidate laid over the lines.
figure = result.plot(candidate=1)
