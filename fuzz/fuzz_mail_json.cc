#include "base/bytes.h"
#include "base/check.h"
#include "guards/mail/facts/envelope.h"
#include "guards/mail/facts/history.h"
#include "guards/mail/facts/pack.h"

using namespace hygie;

/// Side-cars, memories and packs are read whole or refused in both languages.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = as_text({data, size});
    if (const auto envelope = mail::parse_envelope(text); !envelope)
        HYGIE_CHECK(!envelope.error().what.fr.empty() && !envelope.error().what.en.empty(),
                    "a refusal without words");
    if (const auto history = mail::parse_history(text)) {
        for (const mail::Supplier& one : history->suppliers)
            for (const std::string& domain : one.domains)
                HYGIE_CHECK(domain.empty() || history->supplier_of_domain(domain) != nullptr,
                            "a supplier that its own domain does not find");
    }
    if (const auto pack = mail::parse_pack(text, "[click]\ncliquez ici\n"))
        HYGIE_CHECK(!pack->phrases.find(" cliquez ici ").empty(), "a phrase that is not found");
    return 0;
}
