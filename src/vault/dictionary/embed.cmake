# The dictionary goes into the binary as it is: dictionary.cc takes it in with .incbin.
set(dictionary "${CMAKE_SOURCE_DIR}/src/vault/dictionary/bodies-1.zdict")
set_source_files_properties("${CMAKE_SOURCE_DIR}/src/vault/dictionary.cc" PROPERTIES
    COMPILE_DEFINITIONS "HYGIE_DICTIONARY_1=\"${dictionary}\"" OBJECT_DEPENDS "${dictionary}")
