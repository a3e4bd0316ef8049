"""The built-in source: crystals generated from a seed and written as CIF files.

Others use :func:`.source.write_shard` and :func:`.compare.real_against_generated`. They are not
imported here, so that the report, which compares, does not depend on how crystals are made.
"""
