# The benchmark programs. bench/driver runs them; what they print is one line of JSON each.
#   bench/ours/NAME.cpp  becomes bench-NAME: what is measured of this library
#   bench/raw/NAME.cpp   becomes bench-raw-NAME: the floor, by hand and without a library
#   bench/asio, bench/libuv: the same of peers, built where their packages are installed
#   bench/load           the load generator, bench-load
#   bench/sim.cpp        bench-sim, with Google Benchmark

find_package(PkgConfig REQUIRED)
pkg_check_modules(rondo_bench_uring REQUIRED IMPORTED_TARGET liburing)

# Objects, not an archive: the allocator of allocations.cpp must be there although nobody asks for it.
add_library(rondo_bench_support OBJECT "${PROJECT_SOURCE_DIR}/bench/support/allocations.cpp"
    "${PROJECT_SOURCE_DIR}/bench/support/measure.cpp" "${PROJECT_SOURCE_DIR}/bench/support/system_calls.cpp")
target_include_directories(rondo_bench_support PUBLIC "${PROJECT_SOURCE_DIR}/bench" "${PROJECT_SOURCE_DIR}/bench/support")

# rondo_add_bench_programs(FOLDER PREFIX LIBRARY...)
function(rondo_add_bench_programs folder prefix)
    file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/bench/${folder}/*.cpp")
    foreach(source IN LISTS sources)
        cmake_path(GET source STEM name)
        add_executable(bench-${prefix}${name} "${source}")
        target_link_libraries(bench-${prefix}${name} PRIVATE rondo_bench_support ${ARGN})
    endforeach()
endfunction()

rondo_add_bench_programs(ours "" rondo::rondo)
rondo_add_bench_programs(raw raw- PkgConfig::rondo_bench_uring)

find_package(benchmark REQUIRED)
add_executable(bench-sim "${PROJECT_SOURCE_DIR}/bench/sim.cpp")
target_include_directories(bench-sim PRIVATE "${PROJECT_SOURCE_DIR}/bench")
target_link_libraries(bench-sim PRIVATE $<TARGET_NAME_IF_EXISTS:rondo::sim> rondo::rondo benchmark::benchmark)

# A program of a peer that is not installed is a target that says so.
function(rondo_miss_bench_programs package)
    foreach(name IN LISTS ARGN)
        if(NOT TARGET ${name})
            add_custom_target(${name} COMMAND "${CMAKE_COMMAND}" -E echo "${name}: ${package} is not installed" VERBATIM)
        endif()
    endforeach()
endfunction()

# Before 1.78 Asio knows no io_uring.
find_path(RONDO_BENCH_BOOST boost/asio/awaitable.hpp)
if(RONDO_BENCH_BOOST)
    file(STRINGS "${RONDO_BENCH_BOOST}/boost/version.hpp" rondo_bench_boost REGEX "define BOOST_VERSION [0-9]+")
    string(REGEX MATCH "[0-9]+" rondo_bench_boost "${rondo_bench_boost}")
    if(rondo_bench_boost GREATER_EQUAL 107800)
        rondo_add_bench_programs(asio asio- PkgConfig::rondo_bench_uring)
        add_executable(bench-asio-uring-echo "${PROJECT_SOURCE_DIR}/bench/asio/echo.cpp")
        target_compile_definitions(bench-asio-uring-echo PRIVATE BOOST_ASIO_HAS_IO_URING BOOST_ASIO_DISABLE_EPOLL)
        target_link_libraries(bench-asio-uring-echo PRIVATE rondo_bench_support PkgConfig::rondo_bench_uring)
        foreach(program bench-asio-micro bench-asio-echo bench-asio-uring-echo)
            target_compile_options(${program} PRIVATE -w) # Boost's headers are not ours to mend
        endforeach()
    endif()
endif()
rondo_miss_bench_programs(libboost1.81-dev bench-asio-micro bench-asio-echo bench-asio-uring-echo)

pkg_check_modules(rondo_bench_libuv IMPORTED_TARGET libuv)
if(rondo_bench_libuv_FOUND)
    rondo_add_bench_programs(libuv libuv- PkgConfig::rondo_bench_libuv)
endif()
rondo_miss_bench_programs(libuv1-dev bench-libuv-micro bench-libuv-echo)

add_library(rondo_bench_load OBJECT "${PROJECT_SOURCE_DIR}/bench/load/connections.cpp"
    "${PROJECT_SOURCE_DIR}/bench/load/generator.cpp" "${PROJECT_SOURCE_DIR}/bench/load/watched.cpp")
target_link_libraries(rondo_bench_load PUBLIC rondo_bench_support PkgConfig::rondo_bench_uring)
add_executable(bench-load "${PROJECT_SOURCE_DIR}/bench/load/main.cpp")
add_executable(bench-idle "${PROJECT_SOURCE_DIR}/bench/load/idle.cpp")
foreach(program bench-load bench-idle)
    target_link_libraries(${program} PRIVATE rondo_bench_load rondo_bench_support)
endforeach()

add_executable(bench-child "${PROJECT_SOURCE_DIR}/bench/child/main.cpp")
target_compile_options(bench-child PRIVATE -fno-exceptions -fno-rtti)
target_link_options(bench-child PRIVATE -nostdlib -static)

file(GLOB rondo_bench_budget CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/bench/budget/*.cpp")
add_executable(bench-budget ${rondo_bench_budget})
target_link_libraries(bench-budget PRIVATE rondo::rondo rondo_bench_support)
target_link_options(bench-budget PRIVATE -Wl,--strip-debug) # valgrind 3.19 cannot read what clang 19 writes
