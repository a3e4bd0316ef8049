"""The tables of the workflow, declared once: a module for each part of the data flow."""
