"""CIF texts that several tests read."""

CORUNDUM = """data_corundum
_chemical_formula_sum 'Al2 O3'
_cell_formula_units_Z 6
_cell_length_a 4.7606
_cell_length_b 4.7606
_cell_length_c 12.994
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
_cell_volume 255.03
_space_group_IT_number 167
_symmetry_space_group_name_H-M 'R -3 c'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Al1 0 0 0.3522 1
O1 0.3064 0 0.25 1
"""
