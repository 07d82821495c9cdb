# What an office sees of its cases: two countries, real gateways, the real command.
if(TARGET referral AND TARGET referral-gateway AND NOT RG_SANITIZE)
  add_test(NAME integration.casebook COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_casebook.py ${PROJECT_BINARY_DIR})
  set_tests_properties(integration.casebook PROPERTIES LABELS integration TIMEOUT 180)
endif()
