"""Success rates and times of ab initio indexing."""
