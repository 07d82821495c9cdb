# The command and the library with two real gateways.
if(TARGET referral AND TARGET referral-gateway AND TARGET libreferral AND NOT RG_SANITIZE)
  add_test(NAME integration.client COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_client.py
           ${PROJECT_BINARY_DIR} $<TARGET_FILE:libreferral> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration.client PROPERTIES LABELS integration TIMEOUT 200)
endif()
