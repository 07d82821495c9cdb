# The scripts of certs/, walked as people would, judged by a gateway's own code.
add_executable(judge integration/judge.c)
rg_warnings(judge)
target_link_libraries(judge PRIVATE rg_core)
foreach(name ceremony dev_pki)
  add_test(NAME integration.${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_${name}.sh
                                            ${PROJECT_SOURCE_DIR} $<TARGET_FILE:judge>)
  set_tests_properties(integration.${name} PROPERTIES LABELS integration TIMEOUT 60)
endforeach()
