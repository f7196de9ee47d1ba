# The library: `rondo` (librondo.a) and `rondo_shared` (librondo.so.0), the same sources; and `rondo_sim` (librondo_sim.a), the
# simulator for tests.
# Sources are collected per floor, lowest floor first; one concept is one file, so a new file needs no edit here.

set(rondo_floors coro loop task sync io http inspect)

set(rondo_sources)
foreach(floor IN LISTS rondo_floors)
    file(GLOB_RECURSE floor_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${floor}/*.cpp")
    list(APPEND rondo_sources ${floor_sources})
endforeach()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(RONDO_LIBURING REQUIRED IMPORTED_TARGET liburing>=2.3)
option(RONDO_CARES "Look names up with c-ares where a program asks for it; without the library it is left out" ON)
set(rondo_needs_cares OFF)
if(RONDO_CARES)
    pkg_check_modules(RONDO_CARES_LIBRARY IMPORTED_TARGET libcares>=1.16)
    set(rondo_needs_cares ${RONDO_CARES_LIBRARY_FOUND})
endif()

function(rondo_define_library target)
    target_compile_features(${target} PUBLIC cxx_std_20)
    target_compile_options(${target} PUBLIC ${rondo_public_options})
    target_include_directories(${target}
        PUBLIC
            "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
            "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>"
        PRIVATE
            "${PROJECT_SOURCE_DIR}/src")
    target_link_libraries(${target} PUBLIC Threads::Threads PRIVATE PkgConfig::RONDO_LIBURING)
    if(rondo_needs_cares)
        target_compile_definitions(${target} PRIVATE RONDO_HAS_CARES)
        target_link_libraries(${target} PRIVATE PkgConfig::RONDO_CARES_LIBRARY)
    endif()
    set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX)
endfunction()

add_library(rondo STATIC ${rondo_sources})
add_library(rondo::rondo ALIAS rondo)
rondo_define_library(rondo)
if(RONDO_QUICK_BUILD)
    rondo_compile_by_the_dozen(rondo)
endif()

if(RONDO_SHARED)
    add_library(rondo_shared SHARED ${rondo_sources})
    add_library(rondo::rondo_shared ALIAS rondo_shared)
    rondo_define_library(rondo_shared)
    rondo_compile_by_the_dozen(rondo_shared)
    # Every await reads the current loop from a thread-local: initial-exec makes that one load instead of a call.
    target_compile_options(rondo_shared PRIVATE -ftls-model=initial-exec)
    target_link_options(rondo_shared PRIVATE -Wl,-z,defs)
    set_target_properties(rondo_shared PROPERTIES
        OUTPUT_NAME rondo
        VERSION ${PROJECT_VERSION}
        SOVERSION 0)
endif()

# Never in the shared library: it has an operator new that can fail, which would be that of every program.
file(GLOB_RECURSE rondo_sim_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/sim/*.cpp")
add_library(rondo_sim STATIC ${rondo_sim_sources})
add_library(rondo::sim ALIAS rondo_sim)
target_link_libraries(rondo_sim PUBLIC rondo::rondo)
target_include_directories(rondo_sim PRIVATE "${PROJECT_SOURCE_DIR}/src")
set_target_properties(rondo_sim PROPERTIES EXPORT_NAME sim)
if(RONDO_QUICK_BUILD)
    rondo_compile_by_the_dozen(rondo_sim)
endif()
