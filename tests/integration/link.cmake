# The link process with real certificates and sockets; its own temporary folder and ports.
add_executable(test_link integration/test_link.c)
rg_warnings(test_link)
target_compile_definitions(test_link PRIVATE RG_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_link_libraries(test_link PRIVATE rg_gateway OpenSSL::SSL OpenSSL::Crypto PkgConfig::CMOCKA)
add_test(NAME integration.link COMMAND test_link)
set_tests_properties(integration.link PROPERTIES LABELS integration TIMEOUT 180)
