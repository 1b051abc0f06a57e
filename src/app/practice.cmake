# The demonstration's practice goes into the binary as it is: demo_practice.cc takes it in with .incbin.
set(practice "${CMAKE_SOURCE_DIR}/demo/practice.ndjson.zst")
set_source_files_properties("${CMAKE_SOURCE_DIR}/src/app/house/demo_practice.cc" PROPERTIES
    COMPILE_DEFINITIONS "HYGIE_PRACTICE=\"${practice}\"" OBJECT_DEPENDS "${practice}")
