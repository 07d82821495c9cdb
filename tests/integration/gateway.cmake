# Real gateways under main: kills, crash points, lost state. Needs the crash points built in and the bench's load.
if(RG_CRASH_POINTS AND NOT RG_SANITIZE)
  add_test(NAME integration.gateway COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_gateway.sh
           $<TARGET_FILE:referral-gateway> $<TARGET_FILE:bench_load> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration.gateway PROPERTIES LABELS integration TIMEOUT 280)
endif()
