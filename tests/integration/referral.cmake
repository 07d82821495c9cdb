# The whole first path: two countries, two officers an office, an NGO, real gateways, the real command.
if(TARGET referral AND TARGET referral-gateway AND NOT RG_SANITIZE)
  add_test(NAME integration.referral COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_referral.py ${PROJECT_BINARY_DIR})
  set_tests_properties(integration.referral PROPERTIES LABELS integration TIMEOUT 180)
endif()
# Desks: readers abroad, writers at home.
if(TARGET referral AND TARGET referral-gateway AND NOT RG_SANITIZE)
  add_test(NAME integration.desks COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_desks.py ${PROJECT_BINARY_DIR})
  set_tests_properties(integration.desks PROPERTIES LABELS integration TIMEOUT 180)
endif()
# One return, message by message, and a withdrawal in the middle.
if(TARGET referral AND TARGET referral-gateway AND NOT RG_SANITIZE)
  add_test(NAME integration.process COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_process.py ${PROJECT_BINARY_DIR})
  set_tests_properties(integration.process PROPERTIES LABELS integration TIMEOUT 300)
endif()
# Drafts, alerts, two officers, third countries.
if(TARGET referral AND TARGET referral-gateway AND NOT RG_SANITIZE)
  add_test(NAME integration.desk_work COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_desk_work.py ${PROJECT_BINARY_DIR})
  set_tests_properties(integration.desk_work PROPERTIES LABELS integration TIMEOUT 300)
endif()
