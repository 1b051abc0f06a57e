#include "guards/records/write/change.h"

#include <algorithm>

#include "guards/records/desk/binary.h"

namespace hygie::records {

namespace {

Answer<fhir::Json> parsed(fhir::Arena& arena, std::string_view text) {
    auto json = arena.parse(text);
    if (json) return *json;
    Refusal refusal(json.error());
    refusal.issues.front().code = "structure";
    return std::unexpected(std::move(refusal));
}

/// What a condition means that no version could ever meet is a mistake.
Answer<void> check_if_match(std::string_view etags, const std::string& expression) {
    if (etags.empty() || names_versions(etags)) return {};
    return refuse(
        412, "conflict", {"If-Match ne nomme aucune version", "If-Match names no version"},
        {"recopiez l'ETag de la dernière lecture", "copy the ETag of the last read"}, expression);
}

/// What follows '?' in "Patient?identifier=1", or all of "identifier=1".
std::string_view query_part(std::string_view condition) {
    const auto question = condition.find('?');
    return question == condition.npos ? condition : condition.substr(question + 1);
}

/// An If-None-Exist that is there and empty: to leave it aside would create what it was to prevent.
Answer<void> check_condition(const Call& call) {
    const auto is_condition = [](const auto& header) {
        return header.first == "if-none-exist" && header.second.empty();
    };
    if (std::ranges::none_of(call.request.headers, is_condition)) return {};
    return refuse(400, "required",
                  {"If-None-Exist n'a pas de critère", "If-None-Exist has no criterion"},
                  {"ajoutez un critère de recherche, ou ôtez l'en-tête",
                   "add a search criterion, or leave the header out"},
                  "http.If-None-Exist");
}

/// A condition that asks nothing would find anything.
Answer<Parameters> criteria_of(std::string_view query, const std::string& expression) {
    auto criteria = TRY(parse_query(query));
    if (!criteria.empty()) return criteria;
    return refuse(412, "required",
                  {"cette modification sans identifiant n'a pas de critère",
                   "this change without an id has no criterion"},
                  {"ajoutez un critère de recherche, par exemple identifier=…",
                   "add a search criterion, for example identifier=…"},
                  expression);
}

Answer<void> set_patch(fhir::Arena& arena, Change& change) {
    const std::string_view type = change.body["resourceType"].text();
    if (change.body.is_array()) {
        change.kind = Change::Kind::JsonPatch;
    } else if (type == "Parameters") {
        change.kind = Change::Kind::PathPatch;
    } else if (type == "Binary") {
        change.kind = Change::Kind::JsonPatch;
        const Bytes patch = TRY(from_base64(change.body["data"].text()));
        change.body = TRY(parsed(arena, as_text(patch)));
    } else {
        return refuse(400, "invalid",
                      {"un patch est un tableau JSON Patch ou une ressource Parameters",
                       "a patch is a JSON Patch array or a Parameters resource"},
                      {"voyez https://hl7.org/fhir/R4/http.html#patch",
                       "see https://hl7.org/fhir/R4/http.html#patch"},
                      change.expression);
    }
    return {};
}

}  // namespace

Answer<Change> change_of(fhir::Arena& arena, const BundleEntry& entry, std::string expression) {
    if (is_from_ledger(entry.target.type))
        return refuse(
            405, "not-supported", {"un AuditEvent ne s'écrit pas", "an AuditEvent is not written"},
            {"le journal les tient lui-même", "the ledger keeps them itself"}, expression);
    if (entry.target.shape != Shape::Type && entry.target.shape != Shape::Instance)
        return refuse(400, "not-supported",
                      {"une transaction ne fait que lire et écrire des ressources",
                       "a transaction only reads and writes resources"},
                      {"demandez les opérations à part, ou dans un batch",
                       "ask for operations apart, or in a batch"},
                      expression);
    Change change{.type = entry.target.type,
                  .id = entry.target.id,
                  .full_url = entry.full_url,
                  .body = entry.resource,
                  .expression = std::move(expression)};
    TRY_STATUS(check_if_match(entry.if_match, change.expression));
    change.if_match = entry.if_match;
    change.if_none_match = entry.if_none_match;
    if (entry.method == Method::Post) {
        if (!change.id.empty())
            return refuse(400, "invalid",
                          {"une création ne nomme pas d'id", "a creation names no id"},
                          {"écrivez POST Type, ou PUT Type/id", "write POST Type, or PUT Type/id"},
                          change.expression);
        if (!entry.if_none_exist.empty())
            change.criteria = TRY(criteria_of(query_part(entry.if_none_exist), change.expression));
        return change;
    }
    if (change.id.empty()) change.criteria = TRY(criteria_of(entry.query, change.expression));
    if (entry.method == Method::Put) change.kind = Change::Kind::Update;
    if (entry.method == Method::Delete) change.kind = Change::Kind::Delete;
    if (entry.method == Method::Patch) TRY_STATUS(set_patch(arena, change));
    return change;
}

Answer<Change> change_of(fhir::Arena& arena, const Call& call) {
    TRY_STATUS(check_condition(call));
    BundleEntry entry{.method = call.method,
                      .query = print_query(call.parameters),
                      .target = call.target,
                      .if_none_exist = std::string(call.request.header("if-none-exist")),
                      .if_match = std::string(call.request.header("if-match")),
                      .if_none_match = std::string(call.request.header("if-none-match"))};
    if (brings_content(call)) {
        entry.resource = TRY(binary_of(arena, call));
    } else if (call.method != Method::Delete) {
        const BodyKind kind = TRY(body_kind(call.request));
        const bool fits = kind == BodyKind::FhirJson ||
                          (kind == BodyKind::JsonPatch && call.method == Method::Patch);
        if (!fits) return std::unexpected(unsupported_body());
        entry.resource = TRY(parsed(arena, as_text(call.request.body)));
    }
    const bool stores = call.method == Method::Post || call.method == Method::Put;
    if (stores && entry.resource["resourceType"].text() != call.target.type)
        return refuse(400, "invalid",
                      {"la ressource n'est pas du type de l'adresse",
                       "the resource is not of the type of the URL"},
                      {"envoyez-la à l'adresse de son type", "send it to the URL of its type"},
                      "resourceType");
    return change_of(arena, entry, {});
}

}  // namespace hygie::records
