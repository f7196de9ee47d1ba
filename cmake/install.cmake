# What `cmake --install` leaves: headers, the libraries, the config package and rondo.pc.

include(CMakePackageConfigHelpers)

set(rondo_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/rondo")

set(rondo_targets rondo rondo_sim)
if(RONDO_SHARED)
    list(APPEND rondo_targets rondo_shared)
endif()
install(TARGETS ${rondo_targets} EXPORT rondo-targets)
install(EXPORT rondo-targets NAMESPACE rondo:: DESTINATION "${rondo_package_dir}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/rondo" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")

configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/rondo-config.cmake.in" "${PROJECT_BINARY_DIR}/rondo-config.cmake"
    INSTALL_DESTINATION "${rondo_package_dir}")
# While the major version is 0, a new minor version may break a caller.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/rondo-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/rondo-config.cmake"
    "${PROJECT_BINARY_DIR}/rondo-config-version.cmake"
    DESTINATION "${rondo_package_dir}")

# rondo.pc finds its prefix from its own place, so an installed tree may be moved.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_LIBDIR BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}" OUTPUT_VARIABLE rondo_pc_libdir)
cmake_path(APPEND rondo_pc_libdir pkgconfig OUTPUT_VARIABLE rondo_pc_dir)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}/${rondo_pc_dir}"
    OUTPUT_VARIABLE rondo_pc_to_prefix)
set(rondo_pc_cares)
if(rondo_needs_cares)
    set(rondo_pc_cares ", libcares >= 1.16")
endif()
configure_file("${PROJECT_SOURCE_DIR}/cmake/rondo.pc.in" "${PROJECT_BINARY_DIR}/rondo.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/rondo.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
