#include "guards/mail/twins/twin_texts.h"

#include <array>

// The texts go into the binary as they are (twins/embed.cmake).
#define HYGIE_TWIN_TEXT(symbol, file)                                                 \
    __asm__(".section .rodata\n.global hygie_twins_" #symbol "\nhygie_twins_" #symbol \
            ":\n.incbin \"" HYGIE_TWINS "/" file "\"\n.global hygie_twins_" #symbol   \
            "_end\nhygie_twins_" #symbol "_end:\n.previous\n");                       \
    extern "C" const char hygie_twins_##symbol[];                                     \
    extern "C" const char hygie_twins_##symbol##_end[];

HYGIE_TWIN_TEXT(brands, "brands.csv")
HYGIE_TWIN_TEXT(words, "words.txt")
HYGIE_TWIN_TEXT(credential_fr, "credential_fr.txt")
HYGIE_TWIN_TEXT(credential_en, "credential_en.txt")
HYGIE_TWIN_TEXT(credential_other, "credential_other.txt")
HYGIE_TWIN_TEXT(fraud, "fraud.txt")
HYGIE_TWIN_TEXT(scams, "scams.txt")
HYGIE_TWIN_TEXT(files, "files.txt")
HYGIE_TWIN_TEXT(ham_fr, "ham_fr.txt")
HYGIE_TWIN_TEXT(ham_en, "ham_en.txt")
HYGIE_TWIN_TEXT(scams_more, "scams_more.txt")
HYGIE_TWIN_TEXT(ham_more, "ham_more.txt")
HYGIE_TWIN_TEXT(ham_d, "ham_d.txt")
HYGIE_TWIN_TEXT(ham_e, "ham_e.txt")
HYGIE_TWIN_TEXT(ham_f, "ham_f.txt")
HYGIE_TWIN_TEXT(ham_g, "ham_g.txt")
HYGIE_TWIN_TEXT(ham_h, "ham_h.txt")
HYGIE_TWIN_TEXT(attacks_d, "attacks_d.txt")
HYGIE_TWIN_TEXT(attacks_e, "attacks_e.txt")
HYGIE_TWIN_TEXT(attacks_f, "attacks_f.txt")
HYGIE_TWIN_TEXT(attacks_g, "attacks_g.txt")
HYGIE_TWIN_TEXT(attacks_h, "attacks_h.txt")
HYGIE_TWIN_TEXT(hands_i, "hands_i.txt")
HYGIE_TWIN_TEXT(hands_j, "hands_j.txt")
HYGIE_TWIN_TEXT(hands_k, "hands_k.txt")
HYGIE_TWIN_TEXT(hands_l, "hands_l.txt")
HYGIE_TWIN_TEXT(hands_m, "hands_m.txt")
HYGIE_TWIN_TEXT(hands_n, "hands_n.txt")
HYGIE_TWIN_TEXT(hands_o, "hands_o.txt")
HYGIE_TWIN_TEXT(hands_p, "hands_p.txt")
HYGIE_TWIN_TEXT(hands_q, "hands_q.txt")
HYGIE_TWIN_TEXT(hands_r, "hands_r.txt")
HYGIE_TWIN_TEXT(hands_s, "hands_s.txt")
HYGIE_TWIN_TEXT(hands_t, "hands_t.txt")
HYGIE_TWIN_TEXT(hands_u, "hands_u.txt")
HYGIE_TWIN_TEXT(hands_v, "hands_v.txt")
HYGIE_TWIN_TEXT(hands_w, "hands_w.txt")
HYGIE_TWIN_TEXT(hands_x, "hands_x.txt")
HYGIE_TWIN_TEXT(hands_z, "hands_z.txt")
HYGIE_TWIN_TEXT(hands_1, "hands_1.txt")
HYGIE_TWIN_TEXT(hands_2, "hands_2.txt")
HYGIE_TWIN_TEXT(hands_3, "hands_3.txt")

namespace hygie::mail {

std::span<const TwinText> twin_texts() {
#define HYGIE_TWIN_ENTRY(symbol, file)                       \
    {                                                        \
        file, {                                              \
            hygie_twins_##symbol, hygie_twins_##symbol##_end \
        }                                                    \
    }
    static const std::array<TwinText, 42> texts = {{
        HYGIE_TWIN_ENTRY(brands, "brands.csv"),
        HYGIE_TWIN_ENTRY(words, "words.txt"),
        HYGIE_TWIN_ENTRY(credential_fr, "credential_fr.txt"),
        HYGIE_TWIN_ENTRY(credential_en, "credential_en.txt"),
        HYGIE_TWIN_ENTRY(credential_other, "credential_other.txt"),
        HYGIE_TWIN_ENTRY(fraud, "fraud.txt"),
        HYGIE_TWIN_ENTRY(scams, "scams.txt"),
        HYGIE_TWIN_ENTRY(files, "files.txt"),
        HYGIE_TWIN_ENTRY(ham_fr, "ham_fr.txt"),
        HYGIE_TWIN_ENTRY(ham_en, "ham_en.txt"),
        HYGIE_TWIN_ENTRY(scams_more, "scams_more.txt"),
        HYGIE_TWIN_ENTRY(ham_more, "ham_more.txt"),
        HYGIE_TWIN_ENTRY(ham_d, "ham_d.txt"),
        HYGIE_TWIN_ENTRY(ham_e, "ham_e.txt"),
        HYGIE_TWIN_ENTRY(ham_f, "ham_f.txt"),
        HYGIE_TWIN_ENTRY(ham_g, "ham_g.txt"),
        HYGIE_TWIN_ENTRY(ham_h, "ham_h.txt"),
        HYGIE_TWIN_ENTRY(attacks_d, "attacks_d.txt"),
        HYGIE_TWIN_ENTRY(attacks_e, "attacks_e.txt"),
        HYGIE_TWIN_ENTRY(attacks_f, "attacks_f.txt"),
        HYGIE_TWIN_ENTRY(attacks_g, "attacks_g.txt"),
        HYGIE_TWIN_ENTRY(attacks_h, "attacks_h.txt"),
        HYGIE_TWIN_ENTRY(hands_i, "hands_i.txt"),
        HYGIE_TWIN_ENTRY(hands_j, "hands_j.txt"),
        HYGIE_TWIN_ENTRY(hands_k, "hands_k.txt"),
        HYGIE_TWIN_ENTRY(hands_l, "hands_l.txt"),
        HYGIE_TWIN_ENTRY(hands_m, "hands_m.txt"),
        HYGIE_TWIN_ENTRY(hands_n, "hands_n.txt"),
        HYGIE_TWIN_ENTRY(hands_o, "hands_o.txt"),
        HYGIE_TWIN_ENTRY(hands_p, "hands_p.txt"),
        HYGIE_TWIN_ENTRY(hands_q, "hands_q.txt"),
        HYGIE_TWIN_ENTRY(hands_r, "hands_r.txt"),
        HYGIE_TWIN_ENTRY(hands_s, "hands_s.txt"),
        HYGIE_TWIN_ENTRY(hands_t, "hands_t.txt"),
        HYGIE_TWIN_ENTRY(hands_u, "hands_u.txt"),
        HYGIE_TWIN_ENTRY(hands_v, "hands_v.txt"),
        HYGIE_TWIN_ENTRY(hands_w, "hands_w.txt"),
        HYGIE_TWIN_ENTRY(hands_x, "hands_x.txt"),
        HYGIE_TWIN_ENTRY(hands_z, "hands_z.txt"),
        HYGIE_TWIN_ENTRY(hands_1, "hands_1.txt"),
        HYGIE_TWIN_ENTRY(hands_2, "hands_2.txt"),
        HYGIE_TWIN_ENTRY(hands_3, "hands_3.txt"),
    }};
#undef HYGIE_TWIN_ENTRY
    return texts;
}

}  // namespace hygie::mail
