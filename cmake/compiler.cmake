# Language, warnings, linker and the flags of each build type. Directory scope: nothing here reaches a consumer.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug, Asan or Tsan" FORCE)
endif()

# A frame holds locals of any alignment only with this flag: without it an alignas(64) local is misaligned on clang.
# The library exports it, since both sides of a call must agree on how a frame is allocated.
set(rondo_public_options "$<$<CXX_COMPILER_ID:Clang>:-fcoro-aligned-allocation>")

# The macro prefix makes every std::source_location (await sites, creation sites) relative to the checkout, also where
# ccache has made the path relative to the build directory.
cmake_path(RELATIVE_PATH PROJECT_SOURCE_DIR BASE_DIRECTORY "${CMAKE_BINARY_DIR}" OUTPUT_VARIABLE rondo_way_back)
add_compile_options(-fno-omit-frame-pointer "-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=" "-fmacro-prefix-map=${rondo_way_back}/=")

if(PROJECT_IS_TOP_LEVEL)
    add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        add_compile_options(-fcolor-diagnostics -gdwarf-aranges)  # elfutils needs .debug_aranges to name a line
    endif()
    if(RONDO_WERROR)
        add_compile_options(-Werror)
    endif()

    # The linker of the compiler's own release: plain `lld` is another version's.
    string(REGEX MATCH "^[0-9]+" rondo_compiler_major "${CMAKE_CXX_COMPILER_VERSION}")
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        find_program(RONDO_LLD "ld.lld-${rondo_compiler_major}")
        mark_as_advanced(RONDO_LLD)
        if(RONDO_LLD)
            add_link_options("-fuse-ld=lld-${rondo_compiler_major}")
        endif()
    endif()

    # One checkout's objects serve another: ccache sees paths relative to the checkout. A debugger must find the sources, so
    # the preset debug keeps its own.
    find_program(RONDO_CCACHE ccache)
    mark_as_advanced(RONDO_CCACHE)
    if(RONDO_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
        set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros "${RONDO_CCACHE}")
        if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
            list(INSERT CMAKE_CXX_COMPILER_LAUNCHER 1 "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1)
        endif()
    endif()

    # .symtab stays in a release: the names of resume functions are local symbols, and the outside view needs them.
    set(rondo_asan_flags -fsanitize=address,undefined -fno-sanitize-recover=undefined)
    set(rondo_tsan_flags -fsanitize=thread)
    set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG -g")
    set(CMAKE_CXX_FLAGS_DEBUG "-O0 -D_GLIBCXX_ASSERTIONS -g")
    set(CMAKE_CXX_FLAGS_ASAN "-O1 -D_GLIBCXX_ASSERTIONS -g")
    set(CMAKE_CXX_FLAGS_TSAN "-O1 -D_GLIBCXX_ASSERTIONS -g")
    if(CMAKE_BUILD_TYPE STREQUAL "Asan")
        add_compile_options(${rondo_asan_flags} -fsanitize-address-use-after-return=always)
        add_link_options(${rondo_asan_flags})
        if(RONDO_FUZZ)
            add_compile_options(-fsanitize=fuzzer-no-link)
        endif()
    elseif(CMAKE_BUILD_TYPE STREQUAL "Tsan")
        add_compile_options(${rondo_tsan_flags})
        add_link_options(${rondo_tsan_flags})
    endif()
endif()

# Most of what a source costs is the standard library that it includes, so a dozen of them together cost little more than
# one. Names in anonymous namespaces must therefore differ within a floor. What a source includes, and what shadows what in
# it, is seen where it is compiled alone.
set(CMAKE_UNITY_BUILD_BATCH_SIZE 12)
function(rondo_compile_by_the_dozen target)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON)
    target_compile_options(${target} PRIVATE -Wno-shadow)
endfunction()

if(RONDO_LINT_LIFETIMES)
    add_compile_definitions(RONDO_LINT_LIFETIMES)
endif()
