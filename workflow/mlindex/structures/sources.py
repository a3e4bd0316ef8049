"""Config of the crystal-structure sources and of how their files are cut into shards."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from mlindex.base.section import MOST, Section, setting

#: Crystals of a lattice system: ten million are planned in seconds, in some thousand shards.
Crystals = Annotated[int, Field(ge=0, le=MOST)]


class FolderSource(Section):
    """A folder of CIF files, searched to any depth (.cif, .cif.gz, several blocks a file)."""

    kind: Literal["folder"] = setting("folder", "A folder of CIF files.")
    name: str = Field(
        description="Name of the source; the first part of every entry's identifier.",
        pattern=r"^[A-Za-z0-9_-]+$",
    )
    path: str = Field(description="The folder, absolute or relative to the working directory.")
    exclude: tuple[str, ...] = setting(
        (), "Files to leave out: patterns of paths below the folder, such as 'calculated/*'."
    )
    symmetry: Literal["given", "found"] = setting(
        "given",
        "Take the symmetry as the file states it, or find it from the atoms (spglib): "
        "calculated databases write every structure in P 1.",
    )
    symmetry_tolerance_A: float = setting(
        0.01, "Largest displacement of an atom that symmetry finding forgives.", "A", gt=0, le=1
    )


class GeneratorSource(Section):
    """Crystals generated from a seed, written as CIF files."""

    kind: Literal["generator"] = setting("generator", "Generated crystals.")
    name: str = setting(
        "generated",
        "Name of the source; the first part of every entry's identifier.",
        pattern=r"^[A-Za-z0-9_-]+$",
    )
    crystals: dict[str, Crystals] = setting(
        lambda: {
            "cubic": 8000,
            "tetragonal": 8000,
            "hexagonal": 8000,
            "rhombohedral": 8000,
            "orthorhombic": 16000,
            "monoclinic": 16000,
            "triclinic": 16000,
        },
        "Crystals to make in each lattice system.",
    )
    balance: Literal["known", "bravais", "extinction_symbol", "space_group"] = setting(
        "known",
        "Level down to which symmetry classes are equally frequent within a lattice system; or all "
        "as frequent as among known structures, where a few space groups have most.",
    )
    volume_per_atom_A3: float = setting(18.0, "Mean volume of an atom.", "A³", gt=5, lt=60)
    clash_fraction: float = setting(
        0.75,
        "Two atoms closer than this fraction of the sum of their covalent radii clash.",
        gt=0,
        le=1,
    )
    superstructure_share: float = setting(
        0.0,
        "Share of crystals whose atoms nearly repeat by translations that the lattice lacks: "
        "superstructures of index 2 to 4, of a parent of often higher symmetry.",
        ge=0,
        le=1,
    )


Source = Annotated[FolderSource | GeneratorSource, Field(discriminator="kind")]
#: Checks plain data of either kind of source.
SOURCE = TypeAdapter(Source)


class Shards(Section):
    """How the files of a source are cut into shards, the units of work on CIF files."""

    files_per_shard: int = setting(
        2000,
        "Files for one shard to aim at; the number of shards of a source is the power of two "
        "that comes nearest, so that it changes only when the source doubles.",
        gt=0,
    )
    max_shards: int = setting(64, "Most shards of one source.", gt=0, le=10_000)
    crystals_per_shard: int = setting(
        2000,
        "Generated crystals in one shard; doubled while a source would have more than "
        "max_shards, and never more than fit into quality.max_file_MB.",
        gt=0,
    )
