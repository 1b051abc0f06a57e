#include "app/house/vault_figures_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>

#include "app/house/demo_practice.h"

namespace hygie::app {
namespace {

using fhir::Json;

constexpr std::size_t kIdDigits = 8;  ///< of a UUID, changed from copy to copy
constexpr std::size_t kUuidBytes = 36;
constexpr std::size_t kInsBytes = 15;
constexpr std::uint32_t kOdd = 0x9e3779b1;  ///< multiplying by it gives each copy another number
constexpr std::string_view kSystem = "https://bench.example/patients";
/// In no record: what stands for the day of an appointment.
constexpr std::string_view kAnyDay = "1804-02-29";
constexpr std::chrono::sys_days kFirstDay(std::chrono::year{2027} / 1 / 4);
constexpr std::size_t kPrefixLetters = 5;  ///< of a family name, searched by

Result<Json> reader_entry(fhir::Arena& arena) {
    const std::string_view id = VaultBenchData::kReader.substr(VaultBenchData::kReader.find('/'));
    return arena.parse(
        fmt::format(R"({{"resource":{{"resourceType":"Practitioner","id":"{}","name":[{{"family":)"
                    R"("Mesure","given":["Jeanne"]}}]}},"request":{{"method":"PUT","url":"{}"}}}})",
                    id.substr(1), VaultBenchData::kReader));
}

Result<Json> team_entry(fhir::Arena& arena, std::string_view patient) {
    return arena.parse(fmt::format(R"({{"resource":{{"resourceType":"CareTeam","status":"active",)"
                                   R"("subject":{{"reference":"{}"}},)"
                                   R"("participant":[{{"member":{{"reference":"{}"}}}}]}},)"
                                   R"("request":{{"method":"POST","url":"CareTeam"}}}})",
                                   patient, VaultBenchData::kReader));
}

Result<Json> appointment_entry(fhir::Arena& arena, std::string_view patient) {
    return arena.parse(
        fmt::format(R"({{"resource":{{"resourceType":"Appointment","status":"booked",)"
                    R"("start":"{0}T09:00:00Z","end":"{0}T09:15:00Z","participant":[)"
                    R"({{"actor":{{"reference":"{1}"}},"status":"accepted"}},)"
                    R"({{"actor":{{"reference":"{2}"}},"status":"accepted"}}]}},)"
                    R"("request":{{"method":"POST","url":"Appointment"}}}})",
                    kAnyDay, patient, VaultBenchData::kReader));
}

/// The bundle with one entry more.
std::string with_entry(fhir::Arena& arena, Json bundle, Json entry) {
    const auto known = bundle["entry"].items();
    std::vector<Json> entries(known.begin(), known.end());
    entries.push_back(entry);
    return fhir::to_text(arena.with(bundle, "entry", arena.array(entries)));
}

/// By what the other entries refer to it; empty when the bundle has no patient.
std::string patient_in(Json bundle) {
    for (const Json entry : bundle["entry"].items()) {
        const Json resource = entry["resource"];
        if (resource["resourceType"].text() != "Patient") continue;
        return entry["request"]["method"].text() == "PUT"
                   ? fmt::format("Patient/{}", resource["id"].text())
                   : std::string(entry["fullUrl"].text());
    }
    return {};
}

/// Where the ids that the bundle itself gives stand in its text.
std::vector<std::size_t> own_ids(Json bundle, std::string_view text) {
    std::vector<std::size_t> places;
    for (const Json entry : bundle["entry"].items()) {
        const std::string_view id = entry["resource"]["id"].text();
        if (entry["request"]["method"].text() != "PUT" || id.size() != kUuidBytes) continue;
        for (auto at = text.find(id); at != text.npos; at = text.find(id, at + kUuidBytes))
            places.push_back(at);
    }
    return places;
}

/// Behind the first `mark` of the patient; 0 when there is none.
std::size_t place_behind(std::string_view text, std::string_view mark) {
    const auto patient = text.find(R"("resourceType":"Patient")");
    const auto at = text.find(mark, std::min(patient, text.size()));
    return at == text.npos ? 0 : at + mark.size();
}

std::string print_day(std::chrono::year_month_day day) {
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()),
                       static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

std::vector<std::size_t> places_of_day(std::string_view text) {
    std::vector<std::size_t> places;
    for (auto at = text.find(kAnyDay); at != text.npos; at = text.find(kAnyDay, at + 1))
        places.push_back(at);
    return places;
}

/// A copy is another person, born some days before its model, so that all else happens afterwards.
std::string other_birth(std::string_view date, std::size_t copy) {
    constexpr std::size_t kDays = 3'653;
    const auto number = [&](std::size_t from, std::size_t size) {
        unsigned value = 0;
        std::from_chars(date.data() + from, date.data() + from + size, value);
        return value;
    };
    const std::chrono::year_month_day born(std::chrono::year(static_cast<int>(number(0, 4))),
                                           std::chrono::month(number(5, 2)),
                                           std::chrono::day(number(8, 2)));
    return print_day(std::chrono::sys_days(born) - std::chrono::days(copy % kDays));
}

/// The INS number of the model, with the year and month of another birth, another commune and
/// order, and the key that goes with them (référentiel INS of the ANS: 97 less the remainder of the
/// rest by 97).
std::string other_ins(std::string number, std::string_view birth, std::size_t copy) {
    constexpr std::size_t kKept = 7;  ///< sex, year, month and department of birth
    constexpr std::size_t kOthers = 1'000'000;
    constexpr std::size_t kStep = 7'919;  ///< a prime that does not divide it
    std::size_t rest = 0;
    if (!birth.empty())
        number.replace(1, 4, fmt::format("{}{}", birth.substr(2, 2), birth.substr(5, 2)));
    std::from_chars(&number[kKept], &number[kKept] + 6, rest);
    fmt::format_to(&number[kKept], "{:06}", (rest + copy * kStep) % kOthers);
    std::string digits = number.substr(0, kKept + 6);
    // Corsica: 2A counts as 19, 2B as 18.
    if (digits[6] == 'A') digits.replace(5, 2, "19");
    if (digits[6] == 'B') digits.replace(5, 2, "18");
    std::uint64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    fmt::format_to(&number[kKept + 6], "{:02}", 97 - value % 97);
    return number;
}

/// Its last three pairs of digits.
std::string other_telephone(std::size_t copy) {
    return fmt::format("{:02} {:02} {:02}", copy / 10'000 % 100, copy / 100 % 100, copy % 100);
}

/// Six letters that are read aloud easily; the first ones change first.
std::string syllables(std::size_t number) {
    constexpr std::string_view kConsonants = "bcdfghjklmnpqrstvwxz";
    constexpr std::string_view kVowels = "aeiou";
    std::string letters;
    for (int i = 0; i < 3; ++i) {
        letters += kConsonants[number % kConsonants.size()];
        number /= kConsonants.size();
        letters += kVowels[number % kVowels.size()];
        number /= kVowels.size();
    }
    return letters;
}

}  // namespace

Status VaultBenchData::add(std::string_view text) {
    fhir::Arena arena;
    const Json bundle = TRY(arena.parse(text));
    const std::string patient = patient_in(bundle);
    if (bundle["type"].text() != "transaction" || patient.empty()) return {};
    const std::string with_team = with_entry(arena, bundle, TRY(team_entry(arena, patient)));
    Model model{.text = with_entry(arena, TRY(arena.parse(with_team)),
                                   TRY(appointment_entry(arena, patient)))};
    model.ids = own_ids(bundle, model.text);
    model.family = place_behind(model.text, R"("family":")");
    model.identifier = place_behind(model.text, R"("identifier":[)");
    model.ins = place_behind(model.text, R"("system":"urn:oid:1.2.250.1.213.1.4.10","value":")");
    model.birth = place_behind(model.text, R"("birthDate":")");
    model.telephone = place_behind(model.text, R"("telecom":[{"system":"phone","value":")");
    model.mail = place_behind(model.text, R"({"system":"email","value":")");
    model.days = places_of_day(model.text);
    model.resources = bundle["entry"].size() + 2;
    model.has_code = model.text.contains(kCode);
    models_.push_back(std::move(model));
    return {};
}

Result<VaultBenchData> VaultBenchData::demo() {
    const std::string text = TRY(demo_bundles());
    std::string_view rest = text;
    VaultBenchData data;
    while (!rest.empty()) {
        const auto end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (data.house_.empty()) {
            fhir::Arena arena;
            data.house_ = with_entry(arena, TRY(arena.parse(line)), TRY(reader_entry(arena)));
            continue;
        }
        TRY_STATUS(data.add(line));
    }
    return data;
}

Status VaultBenchData::add_below(Disk& disk, const std::string& dir, std::size_t& files) {
    auto entries = TRY(disk.list(dir));
    std::ranges::sort(entries, {}, &DirEntry::name);
    for (const DirEntry& entry : entries) {
        const std::string path = join(dir, entry.name);
        if (entry.is_dir) {
            TRY_STATUS(add_below(disk, path, files));
        } else if (entry.name.ends_with(".json") && files < kFilesMax) {
            ++files;
            TRY_STATUS(add(as_text(TRY(disk.read_file(path, kFileBytesMax)))));
        }
    }
    return {};
}

Result<VaultBenchData> VaultBenchData::below(Disk& disk, const std::string& dir) {
    VaultBenchData data;
    fhir::Arena arena;
    const Json empty = TRY(arena.parse(R"({"resourceType":"Bundle","type":"transaction"})"));
    data.house_ = with_entry(arena, empty, TRY(reader_entry(arena)));
    std::size_t files = 0;
    TRY_STATUS(data.add_below(disk, dir, files));
    if (!data.models_.empty()) return data;
    return fail(Code::BadInput,
                {"ce dossier ne contient aucun lot de transaction avec un patient",
                 "this folder holds no transaction bundle with a patient"},
                {"donnez un dossier de fichiers .json, tels que Synthea les écrit",
                 "give a folder of .json files, as Synthea writes them"});
}

std::string VaultBenchData::name_prefix(std::size_t patient) {
    return syllables(patient / kNamesakes).substr(0, kPrefixLetters);
}

std::string VaultBenchData::identifier(std::size_t patient) {
    return fmt::format("{}|{}", kSystem, patient);
}

std::string VaultBenchData::day(std::size_t patient) {
    return print_day(kFirstDay + std::chrono::days(patient / kNamesakes));
}

std::string VaultBenchData::bundle(std::size_t patient) const {
    const Model& from = model(patient);
    std::string text = from.text;
    const std::size_t copy = patient / models_.size();
    const auto mask = static_cast<std::uint32_t>(copy) * kOdd;
    for (const std::size_t at : from.ids) {
        std::uint32_t digits = 0;
        std::from_chars(&text[at], &text[at] + kIdDigits, digits, 16);
        fmt::format_to(&text[at], "{:08x}", digits ^ mask);
    }
    std::string birth;
    if (from.birth > 0) {
        birth = other_birth(std::string_view(text).substr(from.birth, kAnyDay.size()), copy);
        text.replace(from.birth, birth.size(), birth);
    }
    if (from.ins > 0)
        text.replace(from.ins, kInsBytes, other_ins(text.substr(from.ins, kInsBytes), birth, copy));
    if (from.telephone > 0) {
        const std::string last = other_telephone(copy);
        text.replace(text.find('"', from.telephone) - last.size(), last.size(), last);
    }
    for (const std::size_t at : from.days) text.replace(at, kAnyDay.size(), day(patient));
    std::vector<std::pair<std::size_t, std::string>> more;
    if (from.mail > 0) more.emplace_back(from.mail, fmt::format("{}.", copy));
    if (from.family > 0) more.emplace_back(from.family, syllables(patient / kNamesakes) + "-");
    if (from.identifier > 0)
        more.emplace_back(from.identifier,
                          fmt::format(R"({{"system":"{}","value":"{}"}},)", kSystem, patient));
    // From the end, so that places stay where they are.
    std::ranges::sort(more, std::greater{});
    for (const auto& [at, what] : more) text.insert(at, what);
    return text;
}

}  // namespace hygie::app
