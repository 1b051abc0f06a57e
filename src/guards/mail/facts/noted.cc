#include "guards/mail/facts/noted.h"

#include <algorithm>

namespace hygie::mail {

bool is_active(Capability capability) {
    switch (capability) {
        case Capability::PdfEmbedded:
        case Capability::ArchiveEncrypted:
        case Capability::ArchiveNested:
        case Capability::ArchiveBomb:
        case Capability::TypeMismatch:
        case Capability::EmbeddedObject:
            return false;
        default:
            return true;
    }
}

Noted noted_of(const Evidence& evidence) {
    Noted out{.is_authentic = evidence.auth.is_authentic};
    for (const IbanFacts& facts : evidence.ibans)
        if (facts.iban.is_valid) out.ibans.push_back(facts.iban.value);
    for (const FileFacts& file : evidence.attachments.files) {
        const auto acts = [](const FileFacts::Finding& one) { return is_active(one.capability); };
        if (!std::ranges::any_of(file.findings, acts)) continue;
        std::string name = file.path.substr(0, file.path.find('/'));
        if (std::ranges::find(out.active_files, name) == out.active_files.end())
            out.active_files.push_back(std::move(name));
    }
    return out;
}

}  // namespace hygie::mail
