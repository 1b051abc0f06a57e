#include "guards/records/desk/purpose.h"

#include <algorithm>
#include <array>

namespace hygie::records {
namespace {

/// By what nobody is found who was not known: no name, number, address, birth date, text or order,
/// and nothing that leads to another resource.
constexpr auto kParameters = std::to_array<std::string_view>(
    {"_count",     "_format",    "_id",          "_lastUpdated",   "_pretty",
     "_total",     "authoredon", "category",     "class",          "clinical-status",
     "code",       "date",       "encounter",    "gender",         "intent",
     "onset-date", "patient",    "performed",    "recorded-date",  "status",
     "subject",    "type",       "vaccine-code", "value-quantity", "verification-status"});

}  // namespace

Answer<access::Purpose> purpose_of(const http::Request& request) {
    const std::string_view name = request.header(kPurposeHeader);
    const access::Purpose purpose = access::purpose_named(name);
    if (name.empty() || purpose != access::Purpose::None) return purpose;
    return refuse(
        400, "value",
        {"la finalité déclarée n'existe pas ici", "the declared purpose does not exist here"},
        {"X-Purpose-Of-Use : coding, quality ou research",
         "X-Purpose-Of-Use: coding, quality or research"});
}

Answer<void> check_purpose(const Call& call) {
    if (call.purpose == access::Purpose::None) return {};
    const Shape shape = call.target.shape;
    const bool gets = call.method == Method::Get;
    const bool reads = shape == Shape::Instance && gets;
    const bool searches = (shape == Shape::Type && gets) || shape == Shape::TypeSearch;
    // What is no document of FHIR, or no record's, has nothing to minimise.
    const bool is_there = call.target.type != "Binary" && call.target.type != "AuditEvent";
    if ((!reads && !searches) || !is_there)
        return refuse(403, "forbidden",
                      {"une finalité déclarée n'ouvre pas cette opération",
                       "a declared purpose does not open this operation"},
                      {"lisez une ressource, ou cherchez dans un type",
                       "read one resource, or search one type"});
    const bool finds_nobody = std::ranges::all_of(call.parameters, [](const Parameter& one) {
        return std::ranges::find(kParameters, one.name) != kParameters.end();
    });
    if (finds_nobody) return {};
    return refuse(
        403, "forbidden",
        {"sous une finalité déclarée, ce paramètre n'est pas permis : il pourrait trouver "
         "une personne",
         "under a declared purpose this parameter is not permitted: it might find a "
         "person"},
        {"cherchez par code, état, date ou patient, sans modificateur",
         "search by code, status, date or patient, without modifiers"});
}

std::string_view code_of(access::Purpose purpose) {
    switch (purpose) {
        case access::Purpose::Coding:
            return "HPAYMT";
        case access::Purpose::Quality:
            return "HQUALIMP";
        case access::Purpose::Research:
            return "HRESCH";
        case access::Purpose::None:
            break;
    }
    return {};
}

}  // namespace hygie::records
