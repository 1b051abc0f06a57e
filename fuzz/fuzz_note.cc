#include "base/check.h"
#include "ledger/tree/note.h"

using namespace hygie;

/// Accepted ⇒ written again to the same bytes; so are verifier keys. Verifying never crashes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view in = as_text({data, size});
    if (const auto key = ledger::VerifierKey::parse(in))
        HYGIE_CHECK(key->str() == in, "an accepted verifier key has a second spelling");
    const auto note = ledger::Note::parse(in);
    if (!note) return 0;
    HYGIE_CHECK(note->encode() == in, "an accepted note has a second spelling");
    const ledger::NoteSignature& first = note->signatures.front();
    for (const auto type : {ledger::KeyType::Ed25519, ledger::KeyType::Cosignature}) {
        ledger::VerifierKey key = ledger::VerifierKey::of(first.name, type, {});
        key.id = first.id;
        const ledger::VerifierKey* known = &key;
        HYGIE_CHECK(!ledger::verify_note(*note, {&known, 1}),
                    "a key of small order signed something");
    }
    return 0;
}
