"""Which of the lattices found is the right one: a learned ranking with probabilities.

The evidence compares each lattice with chance; how often lattices of each kind are right is
learned, from lists of calculated crystals that were spoiled and indexed (:mod:`.examples`). A
small network gives every candidate a score from its features (:mod:`.features`), and a softmax
over the list, with one more place for "none of them", gives the probabilities
(:mod:`.network`). Training is Keras' (:mod:`.training`); ranking needs numpy only.
"""
