#include "app/house/demo_practice.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <array>

#include "access/accounts/password.h"
#include "app/house/vault_import.h"
#include "base/check.h"
#include "fhir/data/json.h"
#include "fhir/search/search_value.h"

extern "C" const std::uint8_t hygie_practice[];
extern "C" const std::uint8_t hygie_practice_end[];

asm(".pushsection .rodata\n"
    ".hidden hygie_practice\n"
    ".hidden hygie_practice_end\n"
    ".global hygie_practice\n"
    ".global hygie_practice_end\n"
    "hygie_practice: .incbin \"" HYGIE_PRACTICE
    "\"\n"
    "hygie_practice_end: .byte 0\n"
    ".popsection\n");

namespace hygie::app {
namespace {

using access::Role;
using fhir::Json;

constexpr int kWindowLogMax = 27;
constexpr Micros kAccountTime = std::chrono::days(30);
constexpr Micros kBetweenAppointments = std::chrono::minutes(30);
/// A locum who treats nobody here yet.
constexpr char kOutsider[] =
    R"({"resourceType":"Practitioner","id":"b0c1b5a2-6f0e-4d0c-9a55-1d3c2a9e7f10","active":true,)"
    R"("name":[{"family":"Garnier","given":["Inès"]}],"gender":"female"})";

/// "Maïwenn Lévêque" → "maiwenn.leveque".
std::string login_of(std::string_view name) {
    std::string login = fhir::fold(name);
    std::ranges::replace(login, ' ', '.');
    return login;
}

std::string name_in(Json resource) {
    const auto names = resource["name"].items();
    if (names.empty()) return {};
    const auto given = names.front()["given"].items();
    return fmt::format("{} {}", given.empty() ? "" : given.front().text(),
                       names.front()["family"].text());
}

DemoPerson person_of(std::string name, Role role, std::string person, std::string circle) {
    DemoPerson one;
    one.account.login = ActorId(login_of(name));
    one.account.name = std::move(name);
    one.account.role = role;
    one.account.person = std::move(person);
    one.circle = std::move(circle);
    return one;
}

/// Practitioners, with the profession that their PractitionerRole says.
void add_staff(Json house, std::string_view teams, DemoPractice& practice) {
    for (const Json entry : house["entry"].items()) {
        const Json resource = entry["resource"];
        const std::string reference =
            fmt::format("{}/{}", resource["resourceType"].text(), resource["id"].text());
        if (resource["resourceType"].text() == "Practitioner")
            practice.people.push_back(person_of(name_in(resource), Role::Care, reference,
                                                teams.contains(reference) ? "team" : "none"));
        if (resource["resourceType"].text() != "PractitionerRole") continue;
        for (DemoPerson& one : practice.people) {
            if (one.account.person != resource["practitioner"]["reference"].text()) continue;
            one.account.profession =
                resource["code"].items()[0]["coding"].items()[0]["code"].text();
            one.account.organisation = resource["organization"]["reference"].text();
        }
    }
}

void add_others(Json patient, DemoPractice& practice) {
    const std::string outsider(fhir::parse(kOutsider)->root["id"].text());
    practice.people.push_back(
        person_of("Inès Garnier", Role::Care, "Practitioner/" + outsider, "none"));
    practice.people.back().account.profession = "10";
    practice.people.push_back(person_of("Nadia Benali", Role::Desk, {}, "none"));
    practice.people.push_back(person_of("Hélène Faure", Role::Security, {}, "none"));
    practice.people.push_back(person_of("Yann Le Goff", Role::Operations, {}, "none"));
    practice.people.push_back(person_of(name_in(patient), Role::Patient,
                                        fmt::format("Patient/{}", patient["id"].text()), "self"));
    DemoPerson program = person_of("Logiciel du cabinet", Role::Program, {}, "all");
    program.account.login = ActorId("logiciel-cabinet");
    program.account.scopes = {"system/*.cruds"};
    practice.people.push_back(std::move(program));
}

/// One appointment for each patient with who treats them, from this morning on.
std::string agenda_line(Json team, WallTime start) {
    const std::string_view patient = team["subject"]["reference"].text();
    const std::string_view doctor = team["participant"].items()[0]["member"]["reference"].text();
    return fmt::format(
        R"({{"resourceType":"Appointment","status":"booked","start":"{}","end":"{}",)"
        R"("participant":[{{"actor":{{"reference":"{}"}},"status":"accepted"}},)"
        R"({{"actor":{{"reference":"{}"}},"status":"accepted"}}]}})"
        "\n",
        to_rfc3339(start), to_rfc3339(start + kBetweenAppointments), patient, doctor);
}

}  // namespace

const DemoPerson& DemoPractice::one(Role role, std::string_view circle) const {
    const auto found = std::ranges::find_if(people, [&](const DemoPerson& person) {
        return person.account.role == role && (circle.empty() || person.circle == circle);
    });
    HYGIE_CHECK(found != people.end(), "the demonstration has somebody of each role");
    return *found;
}

Result<std::string> demo_bundles() {
    const std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream(ZSTD_createDStream(),
                                                                            ZSTD_freeDStream);
    HYGIE_CHECK(stream != nullptr, "decompression needs memory");
    ZSTD_DCtx_setParameter(stream.get(), ZSTD_d_windowLogMax, kWindowLogMax);
    ZSTD_inBuffer in{hygie_practice, static_cast<std::size_t>(hygie_practice_end - hygie_practice),
                     0};
    std::string text;
    std::string chunk(ZSTD_DStreamOutSize(), '\0');
    for (std::size_t left = 1; left != 0;) {
        ZSTD_outBuffer out{chunk.data(), chunk.size(), 0};
        left = ZSTD_decompressStream(stream.get(), &out, &in);
        if (ZSTD_isError(left) || (left != 0 && in.pos == in.size && out.pos == 0))
            return fail(Code::Corrupt,
                        {"le cabinet inventé est abîmé dans ce programme",
                         "the invented practice is damaged in this program"},
                        {"réinstallez Hygie", "install Hygie again"});
        text.append(chunk, 0, out.pos);
    }
    return text;
}

Result<DemoPractice> move_in(Context& context, Store& store, const CoreDirs& dirs,
                             const crypto::RootKey& root, bool is_first) {
    const std::string text = TRY(demo_bundles());
    DemoPractice practice;
    std::string agenda;
    std::string_view rest = text;
    fhir::Arena arena;
    Json house, first_patient;
    std::string teams;
    WallTime start = std::chrono::floor<std::chrono::hours>(context.clock.now());
    for (bool is_house = true; !rest.empty(); is_house = false) {
        const auto end = std::min(rest.find('\n'), rest.size());
        const Json bundle = TRY(arena.parse(rest.substr(0, end)));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const auto entries = bundle["entry"].items();
        if (is_house) {
            house = bundle;
            continue;
        }
        const Json patient = entries[0]["resource"];
        if (!first_patient) first_patient = patient;
        practice.patients.emplace_back(patient["id"].text());
        agenda += agenda_line(entries[1]["resource"], start += kBetweenAppointments);
        teams += fhir::to_text(entries[1]["resource"]);
    }
    add_staff(house, teams, practice);
    add_others(first_patient, practice);
    if (!is_first) return practice;
    Importer importer(context, store, dirs, root, ActorId("logiciel-cabinet"));
    TRY_STATUS(importer.lines("practice", text));
    importer.again();
    TRY_STATUS(importer.lines("agenda", agenda + kOutsider));
    const Imported imported = importer.finish();
    if (!imported.refused.empty()) return std::unexpected(imported.refused.front().second);
    return practice;
}

Status open_accounts(Context& context, Core& core, DemoPractice& practice) {
    const ActorId sponsor = practice.people.front().account.login;
    for (DemoPerson& one : practice.people) {
        access::Account& account = one.account;
        account.since = context.clock.now();
        account.end = account.since + kAccountTime;
        if (account.login != sponsor) account.sponsor = sponsor;
        if (account.role != Role::Program) {
            one.password = access::make_password(context.random).reveal();
            account.password = TRY(access::hash_password(Sensitive<std::string>(one.password),
                                                         crypto::kInteractiveCost));
        }
        if (core.accounts().find(account.login.str()))
            TRY_STATUS(core.accounts().change(account.login.str(), sponsor, "password",
                                              [&](access::Account& known) -> Status {
                                                  known.password = account.password;
                                                  known.end = account.end;
                                                  return {};
                                              }));
        else
            TRY_STATUS(core.accounts().add(account, sponsor));
    }
    for (DemoPerson& one : practice.people) {
        // As if with a second factor: what asks for one — break-glass, reviews — can be shown.
        const auto opened = TRY(core.open_session({.login = one.account.login,
                                                   .auth = "demo-otp",
                                                   .client = {},
                                                   .scopes = one.account.scopes,
                                                   .lasts = access::kStaffSession}));
        one.token = opened.token.reveal();
    }
    return {};
}

}  // namespace hygie::app
