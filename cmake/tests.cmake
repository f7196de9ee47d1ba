# One program for each folder of tests/: tests/coro/*.cpp is test-coro. ctest runs each program once; a program counts and
# names its own tests, so a run is a handful of processes instead of thousands.
#   tests/support/*.cpp      linked into every one of them
#   tests/mayhem             linked with mayhem-core
#   tests/gallery            runs the programs of gallery/
# Test sources see the library's private headers ("loop/backend/backend.hpp") and each other's ("support/...").

find_package(GTest REQUIRED)

# These are compiled a second time, at -O0, into test-FLOOR-O0, where the others are not: what they promise may not depend on
# the optimiser.
set(rondo_O0_tests "(_O0_test|/conformance/[^/]+)\\.cpp$")

set(rondo_not_floors house install support)

# A report must name functions and lines, whatever version of the symbolizer is first in PATH.
find_program(RONDO_SYMBOLIZER NAMES "llvm-symbolizer-${rondo_compiler_major}" llvm-symbolizer)
mark_as_advanced(RONDO_SYMBOLIZER)
set(rondo_symbolizer)
if(RONDO_SYMBOLIZER)
    set(rondo_symbolizer ":external_symbolizer_path=${RONDO_SYMBOLIZER}")
endif()
set(rondo_test_environment
    "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_init_order=1:check_initialization_order=1:detect_leaks=1${rondo_symbolizer}"
    "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1${rondo_symbolizer}"
    "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1${rondo_symbolizer}"
    "GTEST_COLOR=no")

set(rondo_results "${PROJECT_BINARY_DIR}/results")  # one JSON file for each program, read by tests/house/results

file(GLOB_RECURSE rondo_support_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/support/*.cpp")
add_library(rondo_test_support INTERFACE)
target_include_directories(rondo_test_support INTERFACE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/tests")
target_link_libraries(rondo_test_support INTERFACE rondo::rondo rondo::sim GTest::gmock_main)
# Tests are mostly instantiations, and code generation is most of what they cost. A trace needs their lines, a debugger can
# have the rest from the preset debug.
target_compile_options(rondo_test_support INTERFACE $<$<NOT:$<CONFIG:Debug>>:-gline-tables-only>)
# At -O0 ASan also sees what -O1 would fold away; release runs them optimised. Its checks are calls here, which is half the
# code of inline ones. A null pointer traps by itself, and the types of objects (vptr, function) are checked in the library's
# sources only, which costs least there.
if(RONDO_QUICK_BUILD)
    target_compile_options(rondo_test_support INTERFACE -O0)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Asan")
    target_compile_options(rondo_test_support INTERFACE
        -fsanitize-address-outline-instrumentation -fno-sanitize=null,vptr,function)
endif()
add_library(rondo_test_support_objects STATIC ${rondo_support_sources})
target_link_libraries(rondo_test_support_objects PUBLIC rondo_test_support)
# GoogleTest and the standard library, parsed once. Nothing of the project: a change there rebuilds who includes it. A test
# still includes what it uses. Compiled as any source is, from a file that is in the same place for every checkout (a
# precompiled header remembers it), and named by a relative path, so that ccache can give it to another checkout.
find_file(RONDO_GMOCK_HEADER gmock/gmock.h REQUIRED)
mark_as_advanced(RONDO_GMOCK_HEADER)
set(rondo_precompiled_flags -x c++-header -w -fpch-instantiate-templates)
foreach(header algorithm array chrono coroutine deque exception filesystem functional map memory mutex optional random ranges
        set source_location span sstream stdexcept string string_view system_error thread tuple variant vector)
    list(APPEND rondo_precompiled_flags -include ${header})
endforeach()
target_compile_options(rondo_test_support INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
set_source_files_properties("${RONDO_GMOCK_HEADER}" PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "${rondo_precompiled_flags}")
add_library(rondo_test_precompiled OBJECT "${RONDO_GMOCK_HEADER}")
target_link_libraries(rondo_test_precompiled PRIVATE rondo_test_support)
# The optimiser has most to say about coroutines and awaiters, which are instantiated in these tests. What lies above them is
# compiled in the library, and the tests of that are compiled quickly, with a precompiled header of their own.
set(rondo_optimised_tests coro task sync)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
    add_library(rondo_test_precompiled_quick OBJECT "${RONDO_GMOCK_HEADER}")
    target_link_libraries(rondo_test_precompiled_quick PRIVATE rondo_test_support)
    target_compile_options(rondo_test_precompiled_quick PRIVATE -O0)
endif()

function(rondo_add_test_program name)
    add_executable(${name} ${ARGN})
    target_link_libraries(${name} PRIVATE rondo_test_support_objects)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES
        ENVIRONMENT "${rondo_test_environment};GTEST_OUTPUT=json:${rondo_results}/${name}.json"
        TIMEOUT 600)
endfunction()

# ThreadSanitizer has nothing to say about a test that has one thread: of the tests it gets those that speak of more.
function(rondo_keep_threaded variable)
    foreach(source IN LISTS ${variable})
        file(STRINGS "${source}" mentions LIMIT_COUNT 1 REGEX "thread|executor|fork|process|signal|mayhem")
        if(mentions OR NOT source MATCHES "_test\\.cpp$")
            list(APPEND kept "${source}")
        endif()
    endforeach()
    set(${variable} ${kept} PARENT_SCOPE)
endfunction()

# tests/FLOOR/NAME_glib_test.cpp is there where GLib is. Its locks are system calls, which the thread sanitizer does not see.
pkg_check_modules(RONDO_GLIB glib-2.0)
list(TRANSFORM RONDO_GLIB_INCLUDE_DIRS PREPEND "-isystem")
set(rondo_glib OFF)
if(RONDO_GLIB_FOUND AND NOT CMAKE_BUILD_TYPE STREQUAL "Tsan")
    set(rondo_glib ON)
endif()

function(rondo_use_precompiled name floor)
    set(library rondo_test_precompiled)
    if(TARGET rondo_test_precompiled_quick AND NOT floor IN_LIST rondo_optimised_tests)
        set(library rondo_test_precompiled_quick)
        target_compile_options(${name} PRIVATE -O0)
    endif()
    set(precompiled "CMakeFiles/${library}.dir${RONDO_GMOCK_HEADER}.o")
    target_compile_options(${name} PRIVATE "SHELL:-include-pch ${precompiled}")
    get_target_property(sources ${name} SOURCES)
    set_source_files_properties(${sources} PROPERTIES OBJECT_DEPENDS "${PROJECT_BINARY_DIR}/${precompiled}")
endfunction()

get_property(rondo_gallery_programs GLOBAL PROPERTY rondo_gallery_programs)

file(GLOB rondo_test_folders CONFIGURE_DEPENDS LIST_DIRECTORIES true "${PROJECT_SOURCE_DIR}/tests/*")
foreach(folder IN LISTS rondo_test_folders)
    cmake_path(GET folder FILENAME floor)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${folder}/*.cpp")
    if(CMAKE_BUILD_TYPE STREQUAL "Tsan")
        rondo_keep_threaded(sources)
    endif()
    if(floor IN_LIST rondo_not_floors OR NOT sources OR (floor STREQUAL "mayhem" AND NOT TARGET mayhem-core)
            OR (floor STREQUAL "gallery" AND NOT rondo_gallery_programs))
        continue()
    endif()
    set(host_sources ${sources})
    list(FILTER host_sources INCLUDE REGEX "_glib_test\\.cpp$")
    if(NOT rondo_glib)
        list(FILTER sources EXCLUDE REGEX "_glib_test\\.cpp$")
    endif()
    rondo_add_test_program(test-${floor} ${sources})
    rondo_use_precompiled(test-${floor} ${floor})
    if(rondo_glib AND host_sources)
        set_source_files_properties(${host_sources} PROPERTIES COMPILE_OPTIONS "${RONDO_GLIB_INCLUDE_DIRS}")
        target_link_libraries(test-${floor} PRIVATE ${RONDO_GLIB_LINK_LIBRARIES})
    endif()

    set(O0_sources ${sources})
    list(FILTER O0_sources INCLUDE REGEX "${rondo_O0_tests}")
    if(O0_sources AND NOT RONDO_QUICK_BUILD)
        rondo_add_test_program(test-${floor}-O0 ${O0_sources})
        target_compile_options(test-${floor}-O0 PRIVATE -O0)
    endif()
endforeach()

if(TARGET test-mayhem)
    target_link_libraries(test-mayhem PRIVATE mayhem-core)
    set_source_files_properties("${PROJECT_SOURCE_DIR}/tests/mayhem/program.cpp" PROPERTIES
        COMPILE_DEFINITIONS "MAYHEM_PROGRAM=\"${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/mayhem\"")
    add_dependencies(test-mayhem mayhem)
    set_tests_properties(test-mayhem PROPERTIES RUN_SERIAL ON)  # measures the loop's lag: alone on the machine
endif()

if(TARGET test-gallery)
    list(JOIN rondo_gallery_programs "," names)
    set_source_files_properties("${PROJECT_SOURCE_DIR}/tests/gallery/gallery.cpp" PROPERTIES COMPILE_DEFINITIONS
        "GALLERY_BIN=\"${CMAKE_RUNTIME_OUTPUT_DIRECTORY}\";GALLERY_NAMES=\"${names}\";GALLERY_ROOT=\"${PROJECT_SOURCE_DIR}\"")
    add_dependencies(test-gallery ${rondo_gallery_programs})
endif()
