# What `cmake --install` puts where, and the Debian package: cpack --preset release, or cpack -B out -G DEB in build/release.
include(GNUInstallDirs)
if(TARGET hygie AND NOT CMAKE_CROSSCOMPILING)
    # hygie_pages lets the program write its own manual pages and completions; Debian wants pages compressed.
    set(pages "${CMAKE_BINARY_DIR}/packaged")
    add_custom_target(packaged
        COMMAND "${CMAKE_COMMAND}" -E make_directory "${pages}"
        COMMAND gzip -9nc hygie.1 > "${pages}/hygie.1.gz"
        COMMAND gzip -9nc hygie.fr.1 > "${pages}/hygie.fr.1.gz"
        COMMAND gzip -9nc "${CMAKE_SOURCE_DIR}/packaging/changelog" > "${pages}/changelog.gz"
        WORKING_DIRECTORY "${CMAKE_BINARY_DIR}" DEPENDS hygie_pages VERBATIM)
    set(completions "${CMAKE_BINARY_DIR}/completions")
    install(TARGETS hygie RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    install(FILES "${pages}/hygie.1.gz" DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
    install(FILES "${pages}/hygie.fr.1.gz" DESTINATION ${CMAKE_INSTALL_MANDIR}/fr/man1 RENAME hygie.1.gz)
    install(FILES "${completions}/hygie.bash" DESTINATION share/bash-completion/completions RENAME hygie)
    install(FILES "${completions}/_hygie" DESTINATION share/zsh/vendor-completions)
    install(FILES "${completions}/hygie.fish" DESTINATION share/fish/vendor_completions.d)
    install(FILES "${pages}/changelog.gz" DESTINATION share/doc/hygie)
endif()
install(FILES packaging/hygie-ledger.service packaging/hygie-witness.service
    packaging/hygie-files.service packaging/hygie-mail.service packaging/hygie-serve.service
    packaging/hygie-watch.service packaging/hygie-digest.service packaging/hygie-digest.timer
    packaging/hygie-backup@.service packaging/hygie-backup.timer packaging/hygie-backup-drill.timer
    packaging/hygie-serve.socket DESTINATION lib/systemd/system)
install(DIRECTORY packaging/hygie-backup@drill.service.d DESTINATION lib/systemd/system)
install(FILES packaging/hygie.sysusers DESTINATION lib/sysusers.d RENAME hygie.conf)
install(FILES packaging/hygie.tmpfiles DESTINATION lib/tmpfiles.d RENAME hygie.conf)
install(FILES packaging/copyright ASSURANCE.md DESTINATION share/doc/hygie)
install(DIRECTORY docs/ DESTINATION share/doc/hygie/docs)
# What `hygie files bench` runs.
install(DIRECTORY bench/files DESTINATION share/hygie/bench FILES_MATCHING PATTERN "*.py")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME hygie)
set(CPACK_PACKAGE_VENDOR Hygie)
set(CPACK_PACKAGE_CONTACT "Hygie maintainers <maintainers@hygie.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "guard of a care organisation's patient data, with evidence anyone can check")
set(CPACK_PACKAGE_DESCRIPTION
"Hygie keeps patient data available, intact, confidential and traceable.
 This version holds the ledger: an append-only, encrypted, witnessed log of who did what to which record, that
 independent programs verify and from which a patient can be erased without breaking a single proof.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "systemd, tesseract-ocr-fra")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${CMAKE_SOURCE_DIR}/packaging/postinst;${CMAKE_SOURCE_DIR}/packaging/prerm")
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
include(CPack)
