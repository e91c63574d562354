# The Debian package: `cpack -G DEB` in a release build. Installing it starts nothing and touches no running service.
set(CPACK_PACKAGE_NAME gapscope)
set(CPACK_PACKAGE_CONTACT "gapscope <gapscope@users.noreply.github.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "finds missing deadlines, endless retries and leaked secrets at run time")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "A library in the watched service and probes in the kernel record
what it does at its sockets, waits and logs. An agent turns that into
findings with evidence, and exports spans, metrics and findings over OTLP.
A gate gives a canary's promotion a verdict.")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR DEB)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

include(GNUInstallDirs)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/systemd/gapscope.service DESTINATION lib/systemd/system)
install(DIRECTORY ${CMAKE_CURRENT_LIST_DIR}/examples ${CMAKE_CURRENT_LIST_DIR}/argo ${CMAKE_CURRENT_LIST_DIR}/flagger
  ${CMAKE_CURRENT_LIST_DIR}/prometheus ${CMAKE_CURRENT_LIST_DIR}/grafana ${CMAKE_CURRENT_LIST_DIR}/collector ${CMAKE_CURRENT_LIST_DIR}/helm
  DESTINATION ${CMAKE_INSTALL_DATADIR}/gapscope)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/debian/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME gapscope)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/debian/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/gapscope)

# Debian keeps manual pages and changelogs compressed, without a time stamp so that builds are alike.
set(PACKAGED ${PROJECT_BINARY_DIR}/packaged)
add_custom_command(OUTPUT ${PACKAGED}/gapscope.1.gz ${PACKAGED}/changelog.gz
  COMMAND ${CMAKE_COMMAND} -E make_directory ${PACKAGED}
  COMMAND gzip -9nc ${PROJECT_BINARY_DIR}/gapscope.1 > ${PACKAGED}/gapscope.1.gz
  COMMAND gzip -9nc ${CMAKE_CURRENT_LIST_DIR}/debian/changelog > ${PACKAGED}/changelog.gz
  DEPENDS ${PROJECT_BINARY_DIR}/gapscope.1 ${CMAKE_CURRENT_LIST_DIR}/debian/changelog VERBATIM)
add_custom_target(packaged ALL DEPENDS ${PACKAGED}/gapscope.1.gz ${PACKAGED}/changelog.gz)
add_dependencies(packaged manual)
install(FILES ${PACKAGED}/gapscope.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${PACKAGED}/changelog.gz DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/gapscope)
include(CPack)
