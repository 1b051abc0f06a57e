#include "serve/scim_user.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace hygie::serve {
namespace {

using Json = nlohmann::ordered_json;
using access::Account;

constexpr std::size_t kOperationsMax = 64;

std::unexpected<Error> bad(Text what) {
    return fail(Code::BadInput, std::move(what),
                {"voyez /scim/v2/Schemas", "see /scim/v2/Schemas"});
}

/// Some directories write booleans as text.
std::optional<bool> truth(const Json& value) {
    if (value.is_boolean()) return value.get<bool>();
    if (!value.is_string()) return std::nullopt;
    std::string text = value.get<std::string>();
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (text == "true") return true;
    if (text == "false") return false;
    return std::nullopt;
}

/// Leaves `out` when the member is absent.
Status read_text(const Json& object, const char* name, std::string& out) {
    const auto found = object.find(name);
    if (found == object.end() || found->is_null()) return {};
    if (!found->is_string()) return bad({"un champ n'est pas un texte", "a field is not a text"});
    out = found->get<std::string>();
    return {};
}

Status read_name(const Json& user, std::string& out) {
    const auto found = user.find("name");
    if (found == user.end()) return read_text(user, "displayName", out);
    if (!found->is_object()) return bad({"name n'est pas un objet", "name is not an object"});
    std::string given, family, formatted;
    TRY_STATUS(read_text(*found, "givenName", given));
    TRY_STATUS(read_text(*found, "familyName", family));
    TRY_STATUS(read_text(*found, "formatted", formatted));
    if (!given.empty() && !family.empty()) formatted = given + " " + family;
    if (!formatted.empty()) out = formatted;
    return {};
}

Status read_sponsor(const Json& user, Account& account) {
    const auto enterprise = user.find(kEnterpriseSchema);
    if (enterprise == user.end() || enterprise->is_null()) return {};
    if (!enterprise->is_object()) return bad({"extension illisible", "unreadable extension"});
    const auto manager = enterprise->find("manager");
    if (manager == enterprise->end() || manager->is_null()) return {};
    std::string sponsor = account.sponsor.str();
    if (manager->is_string())
        sponsor = manager->get<std::string>();  // a frequent shortening
    else if (manager->is_object())
        TRY_STATUS(read_text(*manager, "value", sponsor));
    else
        return bad({"manager n'est pas un objet", "manager is not an object"});
    account.sponsor = ActorId(sponsor);
    return {};
}

Status read_house(const Json& user, Account& account) {
    const auto own = user.find(kHygieSchema);
    if (own == user.end()) return {};
    if (!own->is_object()) return bad({"extension illisible", "unreadable extension"});
    TRY_STATUS(read_text(*own, "profession", account.profession));
    TRY_STATUS(read_text(*own, "person", account.person));
    TRY_STATUS(read_text(*own, "organisation", account.organisation));
    std::string end;
    TRY_STATUS(read_text(*own, "end", end));
    if (!end.empty()) account.end = TRY(from_rfc3339(end));
    return {};
}

/// The object and member that a path names, made when absent. "URN:attribute" names an attribute of
/// an extension; a URN holds dots and colons itself.
Json* place(Json& user, std::string path) {
    if (!user.is_object() && !user.is_null()) return nullptr;
    for (const char* schema : {kHygieSchema, kEnterpriseSchema, kUserSchema}) {
        const std::string prefix = std::string(schema) + ":";
        if (path == schema) return &user[schema];
        if (!path.starts_with(prefix)) continue;
        path.erase(0, prefix.size());
        Json& base = std::string_view(schema) == kUserSchema ? user : user[schema];
        return place(base, path);
    }
    if (path.empty() || path.find_first_of("[]\" ") != std::string::npos) return nullptr;
    const std::size_t dot = path.find('.');
    Json& member = user[path.substr(0, dot)];
    if (dot == std::string::npos) return &member;
    const std::string rest = path.substr(dot + 1);
    if (rest.empty() || rest.contains('.') || !(member.is_object() || member.is_null()))
        return nullptr;
    return &member[rest];
}

Status patch_once(Json& user, const Json& operation) {
    if (!operation.is_object()) return bad({"opération illisible", "unreadable operation"});
    std::string op, path;
    TRY_STATUS(read_text(operation, "op", op));
    TRY_STATUS(read_text(operation, "path", path));
    for (char& c : op)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool removes = op == "remove";
    if (!removes && op != "add" && op != "replace")
        return bad({"opération inconnue", "unknown operation"});
    if (!removes && !operation.contains("value"))
        return bad({"il manque une valeur", "a value is missing"});
    if (path.empty()) {
        if (removes || !operation["value"].is_object())
            return bad({"il manque un chemin", "a path is missing"});
        for (const auto& [name, value] : operation["value"].items()) {
            Json* at = place(user, name);
            if (!at) return bad({"chemin refusé", "path refused"});
            *at = value;
        }
        return {};
    }
    Json* at = place(user, path);
    if (!at) return bad({"chemin refusé", "path refused"});
    *at = removes ? Json("") : operation["value"];
    return {};
}

}  // namespace

std::string scim_user(const Account& account, WallTime now, const std::string& url) {
    const std::string& login = account.login.str();
    const std::size_t blank = account.name.find(' ');
    Json name = {{"formatted", account.name}};
    if (blank != std::string::npos) {
        name["givenName"] = account.name.substr(0, blank);
        name["familyName"] = account.name.substr(blank + 1);
    }
    const Json user = {{"schemas", {kUserSchema, kEnterpriseSchema, kHygieSchema}},
                       {"id", login},
                       {"userName", login},
                       {"name", name},
                       {"displayName", account.name},
                       {"active", account.open_at(now)},
                       {"userType", access::name_of(account.role)},
                       {kEnterpriseSchema, {{"manager", {{"value", account.sponsor.str()}}}}},
                       {kHygieSchema,
                        {{"profession", account.profession},
                         {"person", account.person},
                         {"organisation", account.organisation},
                         {"end", to_rfc3339(account.end)}}},
                       {"meta",
                        {{"resourceType", "User"},
                         {"created", to_rfc3339(account.since)},
                         {"location", url + "/scim/v2/Users/" + login}}}};
    return user.dump();
}

Status apply_scim_user(Account& account, std::string_view text) {
    const Json user = Json::parse(text, nullptr, false);
    if (!user.is_object()) return bad({"JSON illisible", "unreadable JSON"});
    if (user.contains("password"))
        return bad(
            {"les mots de passe ne passent pas par SCIM", "passwords do not travel by SCIM"});
    TRY_STATUS(read_name(user, account.name));
    std::string role(access::name_of(account.role));
    TRY_STATUS(read_text(user, "userType", role));
    account.role = TRY(access::role_named(role));
    if (const auto active = user.find("active"); active != user.end()) {
        const std::optional<bool> open = truth(*active);
        if (!open) return bad({"active n'est ni vrai ni faux", "active is neither true nor false"});
        account.disabled = !*open;
    }
    TRY_STATUS(read_sponsor(user, account));
    return read_house(user, account);
}

Result<std::string> patch_scim_user(std::string_view text, std::string_view patch_text) {
    Json user = Json::parse(text, nullptr, false);
    const Json patch = Json::parse(patch_text, nullptr, false);
    if (!user.is_object() || !patch.is_object()) return bad({"JSON illisible", "unreadable JSON"});
    const auto operations = patch.find("Operations");
    if (operations == patch.end() || !operations->is_array() || operations->empty() ||
        operations->size() > kOperationsMax)
        return bad({"il manque des opérations", "operations are missing"});
    const Json before = user;
    for (const Json& operation : *operations) TRY_STATUS(patch_once(user, operation));
    // The name stands in four places: the one that changed counts.
    const Json name = user["name"];
    const bool full_changed = name.is_object() && name.contains("formatted") &&
                              name["formatted"] != before["name"]["formatted"];
    if (user["displayName"] != before["displayName"])
        user["name"] = {{"formatted", user["displayName"]}};
    else if (full_changed)
        user["name"] = {{"formatted", name["formatted"]}};
    return user.dump();
}

}  // namespace hygie::serve
