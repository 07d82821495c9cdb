# One line per module, in floor order.
rg_unit(buffer rg_core)
