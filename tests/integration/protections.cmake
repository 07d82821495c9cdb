# Protections through real gateways; and that docs/protections.md names what exists.
if(TARGET referral AND TARGET referral-gateway AND NOT RG_SANITIZE)
  add_test(NAME integration.protections COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_protections.py ${PROJECT_BINARY_DIR})
  set_tests_properties(integration.protections PROPERTIES LABELS integration TIMEOUT 240)
endif()
add_test(NAME docs.protections COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/protections/check)
add_test(NAME docs.protections.control COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/protections/check ${PROJECT_SOURCE_DIR}/README.md)
set_tests_properties(docs.protections docs.protections.control PROPERTIES LABELS unit)
set_tests_properties(docs.protections.control PROPERTIES WILL_FAIL TRUE)
