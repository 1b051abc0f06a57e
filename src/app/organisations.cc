#include "app/organisations.h"

#include <array>

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

}  // namespace hygie::app
