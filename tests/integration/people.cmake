# Files in and out of an office; no gateway runs.
if(TARGET referral AND NOT RG_SANITIZE)
  add_test(NAME integration.people COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_people.py ${PROJECT_BINARY_DIR}
           ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration.people PROPERTIES LABELS integration TIMEOUT 100)
endif()
