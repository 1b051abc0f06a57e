# The condensed definitions go into the binary as they are: definitions.cc takes them in with .incbin.
set(definitions "${CMAKE_SOURCE_DIR}/src/fhir/definitions")
file(GLOB texts CONFIGURE_DEPENDS "${definitions}/*.types" "${definitions}/*.search" "${definitions}/*.codes"
    "${definitions}/*.profiles" "${definitions}/*.extensions")
set_source_files_properties("${CMAKE_SOURCE_DIR}/src/fhir/data/definitions.cc" PROPERTIES
    COMPILE_DEFINITIONS "HYGIE_DEFINITIONS=\"${definitions}\"" OBJECT_DEPENDS "${texts}")
if(HYGIE_TESTS)
    add_test(NAME fhir_definitions COMMAND "${definitions}/generate" --check)
    set_tests_properties(fhir_definitions PROPERTIES SKIP_RETURN_CODE 77)
endif()
