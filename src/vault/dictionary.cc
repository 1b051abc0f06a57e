#include "vault/dictionary.h"

extern "C" const std::uint8_t hygie_vault_dictionary_1[];
extern "C" const std::uint8_t hygie_vault_dictionary_1_end[];

asm(".pushsection .rodata\n"
    ".hidden hygie_vault_dictionary_1\n"
    ".hidden hygie_vault_dictionary_1_end\n"
    ".global hygie_vault_dictionary_1\n"
    ".global hygie_vault_dictionary_1_end\n"
    "hygie_vault_dictionary_1: .incbin \"" HYGIE_DICTIONARY_1
    "\"\n"
    "hygie_vault_dictionary_1_end: .byte 0\n"
    ".popsection\n");

namespace hygie::vault {

ByteView dictionary_1() {
    return {hygie_vault_dictionary_1, hygie_vault_dictionary_1_end};
}

}  // namespace hygie::vault
