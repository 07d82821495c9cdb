# What is erased is gone: from the files, from old copies, from the gateways. Needs days to pass: a preloaded clock.
if(TARGET referral AND TARGET referral-gateway AND NOT RG_SANITIZE)
  add_library(rg_clock_shift MODULE integration/clock_shift.c)
  target_link_libraries(rg_clock_shift PRIVATE ${CMAKE_DL_LIBS})
  add_test(NAME integration.erasure COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_erasure.py ${PROJECT_BINARY_DIR}
           $<TARGET_FILE:rg_clock_shift>)
  set_tests_properties(integration.erasure PROPERTIES LABELS integration TIMEOUT 200)
endif()
