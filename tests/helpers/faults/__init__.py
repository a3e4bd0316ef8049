"""Faults made on purpose: processes killed, disks full, files that change or go."""
