# The generator's texts go into the binary as they are: twin_texts.cc takes them in with .incbin.
set(twins "${CMAKE_SOURCE_DIR}/src/guards/mail/twins")
file(GLOB twin_texts CONFIGURE_DEPENDS "${twins}/*.txt" "${twins}/*.csv")
set_source_files_properties("${CMAKE_SOURCE_DIR}/src/guards/mail/twins/twin_texts.cc" PROPERTIES
    COMPILE_DEFINITIONS "HYGIE_TWINS=\"${twins}\"" OBJECT_DEPENDS "${twin_texts}")
# So does the learned model: model_shipped.cc.
set(mail_model "${CMAKE_SOURCE_DIR}/src/guards/mail/model/shipped.hym")
set_source_files_properties("${CMAKE_SOURCE_DIR}/src/guards/mail/model/model_shipped.cc" PROPERTIES
    COMPILE_DEFINITIONS "HYGIE_MAIL_MODEL=\"${mail_model}\"" OBJECT_DEPENDS "${mail_model}")
