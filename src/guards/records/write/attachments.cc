#include "guards/records/write/attachments.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/bytes.h"
#include "crypto/sha1.h"
#include "guards/records/write/check_issues.h"

namespace hygie::records {

namespace {

using fhir::Json;

std::optional<std::uint64_t> count_of(std::string_view digits) {
    std::uint64_t count = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    return error == std::errc() && end == digits.data() + digits.size() ? std::optional(count)
                                                                        : std::nullopt;
}

/// Whether what is said of the bytes is true of them. Bytes that are no base64 are refused
/// elsewhere.
bool is_as_said(Json attachment) {
    const auto bytes = from_base64(attachment["data"].text());
    if (!bytes) return true;
    if (const Json size = attachment["size"]; size && count_of(size.text()) != bytes->size())
        return false;
    const Json hash = attachment["hash"];
    if (!hash) return true;
    const auto said = from_base64(hash.text());
    return said && std::ranges::equal(*said, crypto::sha1(*bytes));
}

/// In R4 only an Attachment has both bytes and what is said of them.
bool is_attachment(Json value) {
    return value["data"] && (value["size"] || value["hash"]);
}

/// Where such documents are. Paths are made on the way back: most resources have none.
std::vector<std::string> wrong_in(Json value) {
    std::vector<std::string> wrong;
    if (is_attachment(value) && !is_as_said(value)) wrong.emplace_back();
    const auto add = [&](Json part, auto name) {
        for (const std::string& rest : wrong_in(part)) wrong.push_back(name() + rest);
    };
    std::size_t place = 0;
    for (const Json item : value.items()) {
        add(item, [&] { return fmt::format("[{}]", place); });
        ++place;
    }
    for (const auto& [name, member] : value.members())
        add(member, [&] { return fmt::format(".{}", name); });
    return wrong;
}

}  // namespace

void warn_of_attachments(Step& step) {
    for (const std::string& where : wrong_in(step.change.body))
        step.warnings.push_back(
            {.severity = Severity::Warning,
             .code = "business-rule",
             .what = {"la pièce jointe n'a pas la taille ou l'empreinte qui sont annoncées",
                      "the attachment has not the size or the hash that are announced"},
             .remedy = {"renvoyez-la entière, ou corrigez « size » (octets) et « hash » (SHA-1)",
                        "send it again whole, or mend 'size' (bytes) and 'hash' (SHA-1)"},
             .expression = expression_in(step, step.change.type + where)});
}

}  // namespace hygie::records
