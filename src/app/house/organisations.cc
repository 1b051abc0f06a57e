#include "app/house/organisations.h"

#include <array>
#include <nlohmann/json.hpp>

#include "vault/unassigned.h"

namespace hygie::app {

std::string organisation_with(vault::Vault& vault, std::string_view identifier, WallTime now) {
    const std::array asked = {fhir::QueryParameter{"identifier", std::string(identifier)},
                              fhir::QueryParameter{"active:not", "false"}};
    Result<fhir::Query> query = fhir::parse_query("Organization", asked, {.base = {}, .now = now});
    if (!query) return "";
    query->count = 2;
    // The house alone: no patient's record says where its staff works.
    const vault::Scope scope{
        .allows = [](const vault::Record& record) { return record.patient().empty(); }};
    const Result<vault::Page> found = vault.search(std::move(*query), scope);
    if (!found || found->page.size() != 1) return "";
    return "Organization/" + std::string(found->page.front().entry.id);
}

std::string organisation_name(vault::Vault& vault, const std::string& reference) {
    constexpr std::string_view kOrganisation = "Organization/";
    if (!reference.starts_with(kOrganisation)) return "";
    const auto found = vault.find(kOrganisation.substr(0, kOrganisation.size() - 1),
                                  reference.substr(kOrganisation.size()));
    if (!found || found->entry.deleted) return "";
    const auto version = vault.read(*found);
    if (!version) return "";
    const auto body = nlohmann::json::parse(version->body, nullptr, false);
    if (!body.is_object() || !body.contains("name") || !body["name"].is_string()) return "";
    return body["name"];
}

std::string patient_of(vault::Vault& vault, const std::string& person) {
    constexpr std::string_view kRelative = "RelatedPerson/";
    if (!person.starts_with(kRelative)) return "";
    const auto found =
        vault.find(kRelative.substr(0, kRelative.size() - 1), person.substr(kRelative.size()));
    if (!found || found->entry.deleted) return "";
    const std::string_view patient = found->record->patient();
    return vault::is_of_patient(patient) ? std::string(patient) : "";
}

}  // namespace hygie::app
