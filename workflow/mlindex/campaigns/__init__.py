"""Planning of experiments: which to do next, from those done."""
