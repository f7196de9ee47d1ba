# Everything that is run and is not a test.
#   apps/NAME, tools/NAME    have a CMakeLists.txt of their own
#   gallery/NAME.cpp         or the folder gallery/NAME, with its main.cpp, becomes gallery-NAME
#   fuzz/NAME.cpp            becomes fuzz-NAME, with RONDO_FUZZ
#   bench                    see benchmarks.cmake

# One program for each source file and each folder with sources in `folder`, named FOLDER-NAME.
function(rondo_add_programs folder)
    file(GLOB entries CONFIGURE_DEPENDS LIST_DIRECTORIES true "${PROJECT_SOURCE_DIR}/${folder}/*")
    foreach(entry IN LISTS entries)
        cmake_path(GET entry STEM name)
        if(IS_DIRECTORY "${entry}")
            file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${entry}/*.cpp")
        elseif(entry MATCHES "\\.cpp$")
            set(sources "${entry}")
        else()
            set(sources)
        endif()
        if(sources)
            add_executable(${folder}-${name} ${sources})
            target_include_directories(${folder}-${name} PRIVATE "${PROJECT_SOURCE_DIR}/${folder}")
            target_link_libraries(${folder}-${name} PRIVATE rondo::rondo ${ARGN})
            set_property(GLOBAL APPEND PROPERTY rondo_${folder}_programs ${folder}-${name})
        endif()
    endforeach()
endfunction()

if(RONDO_BUILD_PROGRAMS)
    file(GLOB rondo_subprojects CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/apps/*/CMakeLists.txt"
        "${PROJECT_SOURCE_DIR}/tools/*/CMakeLists.txt")
    foreach(list_file IN LISTS rondo_subprojects)
        cmake_path(GET list_file PARENT_PATH subproject)
        cmake_path(RELATIVE_PATH subproject BASE_DIRECTORY "${PROJECT_SOURCE_DIR}" OUTPUT_VARIABLE subproject_place)
        add_subdirectory("${subproject}" "${PROJECT_BINARY_DIR}/${subproject_place}")
    endforeach()
    rondo_add_programs(gallery rondo::sim)
endif()

# fuzz/NAME.cpp becomes fuzz-NAME, which libFuzzer drives. The library must be compiled for that too: preset fuzz.
if(RONDO_FUZZ)
    file(GLOB entries CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/fuzz/*.cpp")
    foreach(entry IN LISTS entries)
        cmake_path(GET entry STEM name)
        add_executable(fuzz-${name} "${entry}")
        target_link_libraries(fuzz-${name} PRIVATE rondo::sim)
        target_link_options(fuzz-${name} PRIVATE -fsanitize=fuzzer)
    endforeach()
endif()

if(RONDO_BUILD_BENCHMARKS)
    include(cmake/benchmarks.cmake)
endif()
