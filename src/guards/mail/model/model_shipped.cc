#include "base/check.h"
#include "guards/mail/model/model.h"

// The model goes into the binary as it is (twins/embed.cmake).
__asm__(
    ".section .rodata\n"
    ".global hygie_mail_model\n"
    "hygie_mail_model:\n"
    ".incbin \"" HYGIE_MAIL_MODEL
    "\"\n"
    ".global hygie_mail_model_end\n"
    "hygie_mail_model_end:\n"
    ".previous\n");
extern "C" const std::uint8_t hygie_mail_model[];
extern "C" const std::uint8_t hygie_mail_model_end[];

namespace hygie::mail {

const Model& shipped_model() {
    static const Model model = [] {
        Result<Model> read = read_model({hygie_mail_model, hygie_mail_model_end});
        HYGIE_CHECK(read.has_value(), "the model that came with the program can be read");
        return std::move(*read);
    }();
    return model;
}

}  // namespace hygie::mail
