# The generator's texts go into the binary as they are: twin_texts.cc takes them in with .incbin.
set(twins "${CMAKE_SOURCE_DIR}/src/guards/mail/twins")
file(GLOB twin_texts CONFIGURE_DEPENDS "${twins}/*.txt" "${twins}/*.csv")
set_source_files_properties("${CMAKE_SOURCE_DIR}/src/guards/mail/twin_texts.cc" PROPERTIES
    COMPILE_DEFINITIONS "HYGIE_TWINS=\"${twins}\"" OBJECT_DEPENDS "${twin_texts}")
