#include "access/decide/policy_pack.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/check.h"

asm(".section .rodata\n"
    ".global hygie_policy_default\n"
    "hygie_policy_default:\n"
    ".incbin \"" HYGIE_POLICY_DEFAULT
    "\"\n"
    ".global hygie_policy_default_end\n"
    "hygie_policy_default_end:\n"
    ".previous\n");
extern "C" const char hygie_policy_default[];
extern "C" const char hygie_policy_default_end[];

namespace hygie::access {
namespace {

using nlohmann::json;
using Kind = Relation::Kind;

constexpr std::string_view kFormat = "hygie-policy/1";
constexpr std::string_view kSignatureWord = "hygie-policy-signature/1";
constexpr std::uint32_t kFactorMax = 10'000;
constexpr Second kWindowMax = 366 * 24 * 3600;

std::unexpected<Error> bad(std::string_view field) {
    // The field is one of ours, never a value of the input.
    return fail(Code::BadInput,
                {fmt::format("le paquet de règles est refusé au champ « {} »", field),
                 fmt::format("the policy pack is refused at the field '{}'", field)},
                {"comparez-le au paquet par défaut : hygie access policy show",
                 "compare it with the default pack: hygie access policy show"});
}

/// Whether an object has these members and no other.
bool has_exactly(const json& object, std::initializer_list<std::string_view> names) {
    if (!object.is_object() || object.size() != names.size()) return false;
    return std::ranges::all_of(names, [&](std::string_view name) { return object.contains(name); });
}

std::optional<std::uint32_t> number_in(const json& value, std::uint32_t low, std::uint32_t high) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > high ||
        value.get<std::uint64_t>() < low)
        return std::nullopt;
    return value.get<std::uint32_t>();
}

std::optional<Second> seconds_in(const json& value, Second high) {
    if (!value.is_string()) return std::nullopt;
    const auto span = parse_duration(value.get_ref<const std::string&>());
    if (!span) return std::nullopt;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*span).count();
    if (seconds < 0 || seconds > high) return std::nullopt;
    return static_cast<Second>(seconds);
}

std::optional<Classes> classes_in(const json& value) {
    if (!value.is_array()) return std::nullopt;
    Classes classes = 0;
    for (const json& name : value) {
        if (!name.is_string()) return std::nullopt;
        Classes found = 0;
        for (std::size_t i = 0; i < kDataClasses; ++i)
            if (name_of(DataClass(i)) == name.get_ref<const std::string&>())
                found = bit(DataClass(i));
        if (found == 0 || (classes & found) != 0) return std::nullopt;
        classes |= found;
    }
    return classes;
}

Result<PolicyRow> row_in(const json& value, std::set<std::string>& codes) {
    if (!has_exactly(value, {"row", "codes", "fr", "en", "read", "write", "break_glass"}))
        return bad("rows");
    if (!value["row"].is_string() || !value["fr"].is_string() || !value["en"].is_string())
        return bad("rows.row");
    const auto read = classes_in(value["read"]);
    const auto write = classes_in(value["write"]);
    if (!read || !write || (*write & ~*read) != 0) return bad("rows.read");
    if (!value["break_glass"].is_boolean()) return bad("rows.break_glass");
    if (!value["codes"].is_array() || value["codes"].empty()) return bad("rows.codes");
    PolicyRow row{.name = value["row"].get<std::string>(),
                  .title = {value["fr"].get<std::string>(), value["en"].get<std::string>()},
                  .codes = {},
                  .read = *read,
                  .write = *write,
                  .break_glass = value["break_glass"].get<bool>()};
    for (const json& code : value["codes"]) {
        if (!code.is_string() || !codes.insert(code.get<std::string>()).second)
            return bad("rows.codes");
        row.codes.push_back(code.get<std::string>());
    }
    return row;
}

Status read_rows(const json& rows, Policy& policy) {
    if (!rows.is_array() || rows.empty() || rows.size() > kPolicyRowsMax) return bad("rows");
    std::set<std::string> codes;
    for (const json& row : rows) policy.rows.push_back(TRY(row_in(row, codes)));
    return {};
}

Status read_windows(const json& windows, Policy& policy) {
    if (!windows.is_object() || windows.size() != kRelationKinds - 1) return bad("windows");
    for (std::size_t i = 1; i < kRelationKinds; ++i) {
        const std::string name(name_of(Kind(i)));
        if (!windows.contains(name) || !has_exactly(windows[name], {"before", "after"}))
            return bad("windows");
        const auto before = seconds_in(windows[name]["before"], kWindowMax);
        const auto after = seconds_in(windows[name]["after"], kWindowMax);
        if (!before || !after) return bad("windows.before");
        policy.windows[i] = {*before, *after};
    }
    // What the patient said holds from when it was said until it ends.
    for (const Kind kind :
         {Kind::Opposition, Kind::Restriction, Kind::Consent, Kind::Proxy, Kind::Teleconsultation})
        if (policy.window_of(kind) != Window{}) return bad("windows.after");
    return {};
}

Status read_limits(const json& root, Policy& policy) {
    const auto step_up = classes_in(root["step_up"]);
    const auto depth = number_in(root["delegation_depth"], 0, kDelegationDepthMax);
    if (!step_up) return bad("step_up");
    if (!depth) return bad("delegation_depth");
    if (!root["desk_needs_reason"].is_boolean()) return bad("desk_needs_reason");
    policy.step_up = *step_up;
    policy.delegation_depth = *depth;
    policy.desk_needs_reason = root["desk_needs_reason"].get<bool>();

    const json& glass = root["break_glass"];
    if (!has_exactly(glass, {"lasts", "motive_chars"})) return bad("break_glass");
    const auto lasts = seconds_in(glass["lasts"], kBreakGlassSecondsMax);
    const auto chars = number_in(glass["motive_chars"], 15, 1000);
    if (!lasts || !chars) return bad("break_glass.lasts");
    policy.break_glass_seconds = *lasts;
    policy.motive_chars = *chars;

    const json& rates = root["rates"];
    if (!has_exactly(rates, {"window", "floor", "slow", "justify", "cut"})) return bad("rates");
    const auto window = seconds_in(rates["window"], kWindowMax);
    const auto floor = number_in(rates["floor"], 1, kFactorMax);
    const auto slow = number_in(rates["slow"], 1, kFactorMax);
    const auto justify = number_in(rates["justify"], 1, kFactorMax);
    const auto cut = number_in(rates["cut"], 1, kFactorMax);
    if (!window || *window == 0 || !floor || !slow || !justify || !cut || *slow > *justify ||
        *justify > *cut)
        return bad("rates.window");
    policy.rates = {*window, *floor, *slow, *justify, *cut};
    return {};
}

}  // namespace

const PolicyRow& Policy::row_of(Role role, std::string_view profession) const {
    static const PolicyRow kNothing;
    const auto coded = [&](std::string_view code) -> const PolicyRow* {
        for (const PolicyRow& row : rows)
            if (std::ranges::find(row.codes, code) != row.codes.end()) return &row;
        return nullptr;
    };
    // A profession never widens a role that is not one of care.
    if (role == Role::Care && !profession.empty())
        if (const PolicyRow* row = coded(profession)) return *row;
    const PolicyRow* row = coded("role:" + std::string(name_of(role)));
    return row ? *row : kNothing;
}

Result<Policy> parse_policy(std::string_view text) {
    if (text.size() > kPolicyBytesMax || !is_utf8(text)) return bad("format");
    // The library keeps the last of two equal names: a person could read the first.
    bool doubled = false;
    std::vector<std::set<std::string>> names;
    const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
        names.resize(static_cast<std::size_t>(depth) + 2);
        if (event == json::parse_event_t::object_start)
            names[static_cast<std::size_t>(depth) + 1].clear();
        if (event == json::parse_event_t::key &&
            !names[static_cast<std::size_t>(depth)].insert(parsed.get<std::string>()).second)
            doubled = true;
        return true;
    };
    const json root = json::parse(text, watch, false);
    if (root.is_discarded() || doubled) return bad("format");
    if (!has_exactly(root, {"format", "name", "version", "from", "rows", "windows", "step_up",
                            "desk_needs_reason", "delegation_depth", "break_glass", "rates"}))
        return bad("format");
    if (root["format"] != kFormat) return bad("format");
    const auto version = number_in(root["version"], 1, UINT32_MAX);
    if (!root["name"].is_string() || !root["from"].is_string()) return bad("name");
    if (!version) return bad("version");
    Policy policy{.name = root["name"].get<std::string>(),
                  .version = *version,
                  .from = root["from"].get<std::string>()};
    if (!from_rfc3339(policy.from)) return bad("from");
    TRY_STATUS(read_rows(root["rows"], policy));
    TRY_STATUS(read_windows(root["windows"], policy));
    TRY_STATUS(read_limits(root, policy));
    policy.hash = crypto::sha256(as_bytes(text));
    return policy;
}

std::string sign_policy(std::string_view text, const crypto::SigningKey& key) {
    const std::string message = std::string(kSignatureWord) + '\n' + std::string(text);
    return fmt::format("{} {} {}\n", kSignatureWord, to_base64(key.public_key()),
                       to_base64(key.sign(as_bytes(message))));
}

Status check_signature(std::string_view text, std::string_view signature,
                       std::span<const crypto::PublicKey> keys) {
    const auto refused = fail(Code::Forged,
                              {"aucune clé de confiance n'a signé ce paquet de règles",
                               "no trusted key signed this policy pack"},
                              {"faites-le signer par la personne responsable",
                               "have it signed by the person who answers for it"});
    if (!signature.starts_with(kSignatureWord) || !signature.ends_with('\n')) return refused;
    signature.remove_prefix(kSignatureWord.size());
    signature.remove_suffix(1);
    if (!signature.starts_with(' ')) return refused;
    signature.remove_prefix(1);
    const auto space = signature.find(' ');
    if (space == std::string_view::npos) return refused;
    const auto key = from_base64(signature.substr(0, space));
    const auto bytes = from_base64(signature.substr(space + 1));
    crypto::Signature signed_by{};
    if (!key || !bytes || bytes->size() != signed_by.size()) return refused;
    std::ranges::copy(*bytes, signed_by.begin());
    const std::string message = std::string(kSignatureWord) + '\n' + std::string(text);
    for (const crypto::PublicKey& trusted : keys)
        if (std::ranges::equal(trusted, *key) &&
            crypto::verify(trusted, as_bytes(message), signed_by))
            return {};
    return refused;
}

std::string_view default_policy_text() {
    return {hygie_policy_default, hygie_policy_default_end};
}

const Policy& default_policy() {
    static const Policy policy = [] {
        auto parsed = parse_policy(default_policy_text());
        HYGIE_CHECK(parsed, "the policy pack inside the program is whole");
        return *std::move(parsed);
    }();
    return policy;
}

}  // namespace hygie::access
