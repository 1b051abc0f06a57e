#include "serve/scim.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "access/accounts/strict_json.h"
#include "access/decide/scope.h"
#include "base/escape.h"
#include "serve/forms.h"
#include "serve/scim_user.h"

namespace hygie::serve {
namespace {

using Json = nlohmann::ordered_json;
using access::Account;

constexpr std::string_view kPrefix = "/scim/v2";
constexpr std::size_t kPageMax = 200;

Response scim_json(int status, const Json& json) {
    Response response = text_response(status, json.dump());
    response.content_type = "application/scim+json";
    response.headers.emplace_back("Cache-Control", "no-store");
    return response;
}

/// RFC 7644 §3.12.
Response refuse(int status, const Text& text, std::string_view type = "") {
    Json json = {{"schemas", {"urn:ietf:params:scim:api:messages:2.0:Error"}},
                 {"status", std::to_string(status)},
                 {"detail", text.fr + " / " + text.en}};
    if (!type.empty()) json["scimType"] = type;
    return scim_json(status, json);
}

Response refuse(const Error& error) {
    const Text text{error.what.fr + " : " + error.remedy.fr,
                    error.what.en + ": " + error.remedy.en};
    switch (error.code) {
        case Code::NotFound:
            return refuse(404, text);
        case Code::AlreadyThere:
            return refuse(409, text, "uniqueness");
        case Code::BadInput:
            return refuse(400, text, "invalidValue");
        default:
            return refuse(503, text);
    }
}

Result<std::size_t> number_field(const Form& form, std::string_view name, std::size_t otherwise) {
    const std::string_view text = field(form, name);
    if (text.empty()) return otherwise;
    std::size_t value = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (wrong != std::errc{} || end != text.data() + text.size())
        return fail(Code::BadInput, {"nombre attendu", "a number is expected"});
    return value;
}

/// userName eq "x", id eq "x": what directories ask before they add somebody.
Result<std::string> login_of_filter(std::string_view filter) {
    for (const std::string_view name : {"userName eq \"", "id eq \"", "username eq \""})
        if (filter.starts_with(name) && filter.size() > name.size() && filter.ends_with('"'))
            return std::string(filter.substr(name.size(), filter.size() - name.size() - 1));
    return fail(Code::BadInput, {"filtre refusé", "filter refused"},
                {"utilisez userName eq \"…\"", "use userName eq \"…\""});
}

class Scim {
  public:
    Scim(const ScimParts& parts, const access::Actor& actor) : parts_(parts), actor_(actor) {}

    Response answer(const Request& request) {
        const std::string path = request.path.substr(kPrefix.size());
        const bool reads = request.method == "GET" || request.method == "HEAD";
        if (reads && path == "/ServiceProviderConfig") return provider();
        if (reads && path == "/ResourceTypes") return listed({resource_type()}, 1, 1);
        if (reads && path == "/Schemas") return listed(schemas(), 3, 1);
        constexpr std::string_view kUsers = "/Users";
        if (!path.starts_with(kUsers)) return refuse(404, {"rien à cette adresse", "nothing here"});
        if (path == kUsers) {
            if (reads) return list(request);
            if (request.method == "POST") return create(request);
            return refuse(405, {"méthode refusée", "method refused"});
        }
        if (path[kUsers.size()] != '/')
            return refuse(404, {"rien à cette adresse", "nothing here"});
        const auto form = parse_form(path.substr(kUsers.size() + 1));  // decodes %40
        if (!form || form->size() != 1) return refuse(404, {"aucun compte", "no account"});
        const std::string login = form->begin()->first;
        if (reads) return show(login, 200);
        if (request.method == "PUT" || request.method == "PATCH") return change(login, request);
        if (request.method == "DELETE") return close(login);
        return refuse(405, {"méthode refusée", "method refused"});
    }

  private:
    Json user(const Account& account) {
        return Json::parse(scim_user(account, parts_.clock.now(), parts_.url));
    }

    static Response listed(const std::vector<Json>& items, std::size_t total, std::size_t start) {
        return scim_json(200, {{"schemas", {"urn:ietf:params:scim:api:messages:2.0:ListResponse"}},
                               {"totalResults", total},
                               {"startIndex", start},
                               {"itemsPerPage", items.size()},
                               {"Resources", items}});
    }

    Response show(const std::string& login, int status) {
        const auto account = parts_.accounts.find(login);
        if (!account)
            return refuse(404, {"aucun compte de cet identifiant", "no account of this id"});
        Response response = scim_json(status, user(*account));
        if (status == 201)
            response.headers.emplace_back("Location",
                                          parts_.url + "/scim/v2/Users/" + percent_encoded(login));
        return response;
    }

    Response list(const Request& request) {
        const Result<Form> form = parse_form(request.query);
        if (!form) return refuse(form.error());
        const auto start = number_field(*form, "startIndex", 1);
        const auto count = number_field(*form, "count", kPageMax);
        if (!start || !count) return refuse(start ? count.error() : start.error());
        if (const std::string_view filter = field(*form, "filter"); !filter.empty()) {
            const Result<std::string> login = login_of_filter(filter);
            if (!login) return refuse(400, login.error().what, "invalidFilter");
            const auto account = parts_.accounts.find(*login);
            if (!account) return listed({}, 0, 1);
            return listed({user(*account)}, 1, 1);
        }
        const std::vector<Account> all = parts_.accounts.list();
        const std::size_t first = std::min(std::max<std::size_t>(*start, 1) - 1, all.size());
        const std::size_t size = std::min({*count, kPageMax, all.size() - first});
        std::vector<Json> page;
        for (std::size_t i = first; i < first + size; ++i) page.push_back(user(all[i]));
        return listed(page, all.size(), first + 1);
    }

    static Result<Json> body_of(const Request& request) {
        const std::string_view text = as_text(request.body);
        if (!access::is_strict_object(text))
            return fail(Code::BadInput, {"JSON illisible", "unreadable JSON"},
                        {"envoyez un objet SCIM", "send a SCIM object"});
        return Json::parse(text, nullptr, false);
    }

    Response create(const Request& request) {
        const Result<Json> json = body_of(request);
        if (!json) return refuse(json.error());
        Account account;
        account.login = ActorId(access::text_member(*json, "userName"));
        account.since = parts_.clock.now();
        account.end = account.since + access::kAccountTimeMax;
        // Who answers for the directory's program answers for whom it brings, unless it says more.
        if (const auto program = parts_.accounts.find(actor_.id.str()))
            account.sponsor = program->sponsor;
        const Status applied = apply_scim_user(account, as_text(request.body));
        if (!applied) return refuse(applied.error());
        const Status added = parts_.accounts.add(account, actor_.id);
        return added ? show(account.login.str(), 201) : refuse(added.error());
    }

    Response change(const std::string& login, const Request& request) {
        const Result<Json> json = body_of(request);
        if (!json) return refuse(json.error());
        const bool patches = request.method == "PATCH";
        const std::string named = access::text_member(*json, "userName");
        if (!patches && named != login)
            return refuse(400, {"l'identifiant ne change jamais", "a login never changes"},
                          "mutability");
        const Status changed =
            parts_.accounts.change(login, actor_.id, "directory", [&](Account& account) -> Status {
                const std::string_view sent = as_text(request.body);
                if (!patches) return apply_scim_user(account, sent);
                const Json before = user(account);
                Json asked = Json::parse(TRY(patch_scim_user(before.dump(), sent)));
                if (access::text_member(asked, "userName") != login)
                    return fail(Code::BadInput,
                                {"l'identifiant ne change jamais", "a login never changes"});
                // Of an account that has ended, only who says so opens it.
                if (asked["active"] == before["active"]) asked.erase("active");
                return apply_scim_user(account, asked.dump());
            });
        return changed ? show(login, 200) : refuse(changed.error());
    }

    Response close(const std::string& login) {
        const Status closed = parts_.accounts.change(login, actor_.id, "directory closed",
                                                     [](Account& account) -> Status {
                                                         account.disabled = true;
                                                         return {};
                                                     });
        if (!closed) return refuse(closed.error());
        Response response;
        response.status = 204;
        return response;
    }

    static Json no() { return {{"supported", false}}; }

    Response provider() {
        return scim_json(
            200, {{"schemas", {"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"}},
                  {"patch", {{"supported", true}}},
                  {"bulk", {{"supported", false}, {"maxOperations", 0}, {"maxPayloadSize", 0}}},
                  {"filter", {{"supported", true}, {"maxResults", kPageMax}}},
                  {"changePassword", no()},
                  {"sort", no()},
                  {"etag", no()},
                  {"authenticationSchemes",
                   {{{"type", "oauthbearertoken"},
                     {"name", "OAuth 2.0 private_key_jwt"},
                     {"description", "Scope hygie/accounts"}}}}});
    }

    Json resource_type() {
        return {{"schemas", {"urn:ietf:params:scim:schemas:core:2.0:ResourceType"}},
                {"id", "User"},
                {"name", "User"},
                {"endpoint", "/Users"},
                {"schema", kUserSchema},
                {"schemaExtensions",
                 {{{"schema", kEnterpriseSchema}, {"required", false}},
                  {{"schema", kHygieSchema}, {"required", false}}}}};
    }

    static Json attribute(const char* name, bool required, const char* mutability) {
        return {{"name", name},         {"type", "string"},         {"multiValued", false},
                {"required", required}, {"mutability", mutability}, {"returned", "default"}};
    }

    static std::vector<Json> schemas() {
        const Json core = {attribute("userName", true, "immutable"),
                           attribute("displayName", false, "readWrite"),
                           attribute("userType", true, "readWrite")};
        const Json own = {
            attribute("profession", false, "readWrite"), attribute("person", false, "readWrite"),
            attribute("organisation", false, "readWrite"), attribute("end", false, "readWrite")};
        return {{{"id", kUserSchema}, {"name", "User"}, {"attributes", core}},
                {{"id", kEnterpriseSchema},
                 {"name", "EnterpriseUser"},
                 {"attributes", {attribute("manager", false, "readWrite")}}},
                {{"id", kHygieSchema}, {"name", "HygieUser"}, {"attributes", own}}};
    }

    const ScimParts& parts_;
    const access::Actor& actor_;
};

}  // namespace

Response scim_answer(const ScimParts& parts, const access::Actor& actor, const Request& request) {
    const bool allowed =
        std::ranges::find(actor.scopes, access::kAccountsScope) != actor.scopes.end();
    if (!allowed)
        return refuse(403,
                      {"il faut la portée hygie/accounts", "the scope hygie/accounts is needed"});
    return Scim(parts, actor).answer(request);
}

}  // namespace hygie::serve
