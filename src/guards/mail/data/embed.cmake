# The data pack goes into the binary as it is: pack.cc takes it in with .incbin.
set(mail_data "${CMAKE_SOURCE_DIR}/src/guards/mail/data")
set_source_files_properties("${CMAKE_SOURCE_DIR}/src/guards/mail/facts/pack.cc" PROPERTIES
    COMPILE_DEFINITIONS "HYGIE_MAIL_DATA=\"${mail_data}\""
    OBJECT_DEPENDS "${mail_data}/brands.json;${mail_data}/lures.txt")
set_source_files_properties("${CMAKE_SOURCE_DIR}/src/guards/mail/facts/asks.cc" PROPERTIES
    COMPILE_DEFINITIONS "HYGIE_MAIL_DATA=\"${mail_data}\"" OBJECT_DEPENDS "${mail_data}/asks.txt")
# QPDF's header holds a vector of a type that is not whole yet, which clang refuses from C++20 on.
set_source_files_properties("${CMAKE_SOURCE_DIR}/src/guards/mail/attachments/pdf_actions.cc" PROPERTIES
    COMPILE_OPTIONS "-std=c++17")
