# One line per module, in floor order.
rg_unit(buffer rg_core)
rg_unit(wire rg_core)
rg_unit(zmtp rg_core)
rg_unit(bus rg_core PkgConfig::ZMQ)
rg_unit(settings rg_core)
rg_unit(identity rg_core OpenSSL::Crypto)
rg_unit(event rg_gateway)
