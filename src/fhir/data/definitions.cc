#include "fhir/data/definitions.h"

// What the assembler takes in stays out of every header and out of the compiler's way.
#define HYGIE_EMBED(name)                                \
    __asm__(                                             \
        ".section .rodata\n"                             \
        ".global hygie_r4_" #name                        \
        "\n"                                             \
        "hygie_r4_" #name                                \
        ":\n"                                            \
        ".incbin \"" HYGIE_DEFINITIONS "/r4." #name      \
        "\"\n"                                           \
        ".global hygie_r4_" #name                        \
        "_end\n"                                         \
        "hygie_r4_" #name                                \
        "_end:\n"                                        \
        ".previous\n");                                  \
    extern "C" const char hygie_r4_##name[];             \
    extern "C" const char hygie_r4_##name##_end[];       \
    std::string_view hygie::fhir::definitions::name() {  \
        return {hygie_r4_##name, hygie_r4_##name##_end}; \
    }

HYGIE_EMBED(types)
HYGIE_EMBED(search)
HYGIE_EMBED(codes)
HYGIE_EMBED(profiles)
HYGIE_EMBED(extensions)
