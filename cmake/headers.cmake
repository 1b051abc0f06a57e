# Target `headers`: compiles every header of the house alone, so that each includes all that it uses.
# Built by ./check only.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE "${CMAKE_SOURCE_DIR}" "src/*.h" "sim/*.h")
set(header_units)
foreach(header IN LISTS headers)
    string(REGEX REPLACE "^src/" "" included "${header}")
    string(REPLACE "/" "_" unit "${header}")
    set(unit "${CMAKE_BINARY_DIR}/headers/${unit}.cc")
    file(CONFIGURE OUTPUT "${unit}" CONTENT "#include \"${included}\"  // NOLINT\n#include \"${included}\"\n")
    list(APPEND header_units "${unit}")
endforeach()
add_library(headers OBJECT EXCLUDE_FROM_ALL ${header_units})
target_include_directories(headers PRIVATE "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}"
    "${CMAKE_BINARY_DIR}/generated")
target_link_libraries(headers PRIVATE hygie_options PkgConfig::SODIUM OpenSSL::SSL CURL::libcurl
    nlohmann_json::nlohmann_json PkgConfig::GMIME)
