# The link process with real certificates and sockets; its own temporary folder and ports.
add_executable(test_link integration/test_link.c)
rg_warnings(test_link)
target_compile_definitions(test_link PRIVATE RG_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_link_libraries(test_link PRIVATE rg_gateway OpenSSL::SSL OpenSSL::Crypto PkgConfig::CMOCKA)
add_test(NAME integration.link COMMAND test_link)
set_tests_properties(integration.link PROPERTIES LABELS integration TIMEOUT 180)

# Debian's python3-zmq behind Debian's stunnel4, against a whole gateway. Exit 77: one of the two is not installed.
if(TARGET referral-gateway)
  add_test(NAME integration.interop_stunnel
           COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/interop_stunnel.py ${PROJECT_BINARY_DIR})
  set_tests_properties(integration.interop_stunnel PROPERTIES LABELS integration TIMEOUT 120 SKIP_RETURN_CODE 77)
endif()
