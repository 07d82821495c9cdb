# Language, warnings and hardening for every target.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

option(RG_WERROR "warnings are errors" ON)
option(RG_CRASH_POINTS "a gateway can be told to kill itself between two steps (tests only)" ON)
option(RG_FUZZ "build the libFuzzer harnesses (clang only)" OFF)
set(RG_SANITIZE "" CACHE STRING "sanitizers, as for -fsanitize=")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_compile_definitions(_GNU_SOURCE)
include_directories(${PROJECT_SOURCE_DIR})

set(RG_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wstrict-prototypes
    -Wmissing-prototypes -Wvla -Wformat=2 -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference)
if(RG_WERROR)
  list(APPEND RG_WARNINGS -Werror)
endif()

add_compile_options(-fstack-protector-strong -fstack-clash-protection -fno-strict-aliasing -ftrivial-auto-var-init=zero)
if(CMAKE_C_COMPILER_ID STREQUAL "Clang" AND CMAKE_C_COMPILER_VERSION VERSION_LESS 16)
  add_compile_options(-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64|i.86")
  add_compile_options(-fcf-protection)
endif()
if(RG_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(RG_SANITIZE)
  add_compile_options(-fsanitize=${RG_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined
                      -Wno-format-truncation) # gcc cannot follow value ranges through its own instrumentation
  add_link_options(-fsanitize=${RG_SANITIZE})
else()
  add_compile_options("$<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>")
endif()
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
include(CheckPIESupported)
check_pie_supported()

# Every module of ours is compiled with the warnings; generated code is not.
function(rg_warnings target)
  target_compile_options(${target} PRIVATE ${RG_WARNINGS})
endfunction()
