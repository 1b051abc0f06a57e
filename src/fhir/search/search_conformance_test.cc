#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "fhir/data/zone_kit.h"
#include "fhir/search/search_testing.h"

namespace hygie::fhir {
namespace {

namespace fs = std::filesystem;

/// Search tables of another server, each row one query against one stored resource.
fs::path tables() {
    const char* given = std::getenv("HYGIE_DATA");
    const char* source = std::getenv("HYGIE_SOURCE");
    const fs::path data = given != nullptr
                              ? fs::path(given)
                              : fs::path(source == nullptr ? "." : source) / "../shared/data";
    return data / "records/conformance/search";
}

std::string read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

/// The fields of a line of CSV, "quoted, where ""needed""".
std::vector<std::string> fields_of(std::string_view line) {
    std::vector<std::string> fields(1);
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '"') {
            const bool twice = quoted && i + 1 < line.size() && line[i + 1] == '"';
            if (twice) fields.back() += line[i++];
            quoted = twice || !quoted;
        } else if (line[i] == ',' && !quoted) {
            fields.emplace_back();
        } else {
            fields.back() += line[i];
        }
    }
    return fields;
}

TEST(SearchConformance, AgreesWithTheTablesOfAnotherServer) {
    if (!fs::exists(tables())) GTEST_SKIP() << "no search tables here; set HYGIE_DATA to read them";
    // Their days are those of Greenwich.
    const kit::InZone greenwich("Etc/UTC");
    testing::Shelf shelf;
    std::vector<Json> resources;
    const Json bundle = shelf.parsed(read_file(tables() / "stored.json"));
    for (const Json entry : bundle["entry"].items()) resources.push_back(entry["resource"]);
    shelf.add(resources);
    std::size_t rows = 0;
    for (const auto* table : {"date", "birthdate", "string", "token", "quantity"}) {
        std::istringstream lines(read_file(tables() / (std::string(table) + ".csv")));
        std::string line;
        std::getline(lines, line);
        while (std::getline(lines, line)) {
            const auto field = fields_of(line);
            ASSERT_GE(field.size(), 6U) << line;
            auto parameters = testing::parameters_of(field[4]);
            parameters.push_back({"_tag", std::string("urn:hygie:fixture|") + table});
            const auto query = parse_query(field[0], parameters, {});
            ASSERT_TRUE(query) << line << query.error().what.en;
            const Compartment* const all[] = {&shelf.compartment};
            const auto hits = run(*query, {all});
            ASSERT_TRUE(hits) << line;
            const bool found = std::ranges::any_of(
                hits->page, [&](const Hit& hit) { return hit.entry.id == field[2]; });
            EXPECT_EQ(found, field[5] == "1") << line;
            ++rows;
        }
    }
    EXPECT_EQ(rows, 1344U);
}

}  // namespace
}  // namespace hygie::fhir
