# The default policy pack goes into the binary as it is: policy_pack.cc takes it in with .incbin.
set(policy "${CMAKE_SOURCE_DIR}/src/access/policy/fr-dmp-default.json")
set_source_files_properties("${CMAKE_SOURCE_DIR}/src/access/decide/policy_pack.cc" PROPERTIES
    COMPILE_DEFINITIONS "HYGIE_POLICY_DEFAULT=\"${policy}\"" OBJECT_DEPENDS "${policy}")
