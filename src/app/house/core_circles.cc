#include "app/house/core_circles.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "access/circles/circle_load.h"
#include "access/decide/circle.h"
#include "app/house/organisations.h"
#include "vault/unassigned.h"

namespace hygie::app {
namespace {

constexpr std::string_view kPatient = "Patient/";
constexpr std::string_view kRelated = "RelatedPerson/";

/// The actor with all that the house says of it.
access::Actor placed(const CircleSources& from, access::Actor actor) {
    actor.belongs = from.belongings(actor.person);
    return actor;
}

/// The actor, and the same human behind other resources.
std::vector<std::string> selves_of(const access::Actor& actor) {
    std::vector<std::string> selves = {actor.person};
    for (const access::Belonging& one : actor.belongs)
        if (one.post == static_cast<std::uint8_t>(access::Post::Self)) selves.push_back(one.party);
    return selves;
}

std::vector<std::string> patients_of(const CircleSources& from, const access::Actor& asked) {
    const access::Actor actor = placed(from, asked);
    std::vector<std::string> patients;
    const auto add = [&](std::string_view patient) {
        if (!patient.empty() && std::ranges::find(patients, patient) == patients.end())
            patients.emplace_back(patient);
    };
    if (actor.role != access::Role::Patient) return patients;
    if (actor.person.starts_with(kPatient))
        add(std::string_view(actor.person).substr(kPatient.size()));
    for (const std::string& self : selves_of(actor)) {
        if (!self.starts_with(kRelated)) continue;
        const auto found = from.vault.find("RelatedPerson", self.substr(kRelated.size()));
        if (found) add(found->record->patient());
    }
    return patients;
}

access::Decision decide(const CircleSources& from, const access::Actor& asked,
                        const std::string& patient) {
    const access::Actor actor = placed(from, asked);
    const auto record = from.vault.record(patient);
    const bool known = record && !patient.empty();
    return access::decide(
        *from.policy.current(), actor,
        {.action = event::Action::Read,
         .type = "AuditEvent",
         .patient = patient,
         .relations = known ? (*record)->relations() : std::span<const access::Relation>(),
         .now = from.context.clock.now()});
}

Result<std::vector<event::Event>> events(const CircleSources& from,
                                         const serve::CircleParts::Wanted& wanted) {
    auto entries = TRY(from.audit.search({.patient = PatientId(wanted.patient),
                                          .from = wanted.from,
                                          .until = wanted.until,
                                          .count = wanted.count}));
    std::vector<event::Event> events;
    events.reserve(entries.size());
    for (auto& entry : entries) events.push_back(std::move(entry.event));
    return events;
}

/// All that the ledger still tells, against all that the records say.
Result<std::string> unexplained(const CircleSources& from) {
    const PastWorld past = TRY(past_world(from.vault, from.policy));
    const auto told = TRY(
        events(from, {.patient = {}, .from = from.context.clock.now() - access::kWorkListReach}));
    return findings_of(*past.world, accesses_of(told, from.accounts));
}

}  // namespace

access::WhoIs who_is(access::Accounts& accounts, access::PolicyShelf& policy, vault::Vault* vault) {
    return [&accounts, &policy, vault](const event::Actor& actor) {
        access::ActorWords words;
        if (vault != nullptr) words.organisation = organisation_name(*vault, actor.organisation);
        const auto account = accounts.find(actor.id.str());
        if (!account) {
            // A command on the server, by who administers it.
            if (actor.auth == "os")
                words.profession = {"administration du serveur", "administration of the server"};
            return words;
        }
        words.name = account->name;
        if (account->role == access::Role::Care || account->role == access::Role::Desk)
            words.profession = policy.current()->row_of(account->role, account->profession).title;
        return words;
    };
}

serve::CircleParts circle_parts(CircleSources sources, serve::EventSink sink, event::Event origin) {
    const auto from = std::make_shared<const CircleSources>(std::move(sources));
    return {
        .clock = from->context.clock,
        .random = from->context.random,
        .sink = std::move(sink),
        .origin = std::move(origin),
        .events = [from](const auto& wanted) { return events(*from, wanted); },
        .decide = [from](const access::Actor& actor,
                         const std::string& patient) { return decide(*from, actor, patient); },
        .patients_of = [from](const access::Actor& actor) { return patients_of(*from, actor); },
        .who_is = who_is(from->accounts, from->policy, &from->vault),
        .is_here =
            [from](const std::string& patient) { return from->vault.record(patient).has_value(); },
        .unexplained = [from] { return unexplained(*from); }};
}

Result<Bytes> world_lines(vault::Vault& vault, const std::string& patient) {
    constexpr std::array<std::string_view, 4> kNoRelation = {"AuditEvent", "Provenance", "Binary",
                                                             "DetectedIssue"};
    std::vector<std::string> records = {"", std::string(vault::kUnassigned)};
    if (patient.empty())
        std::ranges::move(TRY(vault.patients()), std::back_inserter(records));
    else
        records.push_back(patient);
    Bytes lines;
    for (const std::string& record : records) {
        const auto found = vault.everything(record);
        const bool may_lack = record.empty() || record == vault::kUnassigned;
        if (!found && found.error().code == Code::NotFound && may_lack) continue;
        if (!found) return std::unexpected(found.error());
        for (const vault::Found& one : *found) {
            if (std::ranges::find(kNoRelation, one.entry.type) != kNoRelation.end()) continue;
            append(lines, as_bytes(TRY(vault.read(one)).body));
            lines.push_back('\n');
            if (lines.size() > kWorldBytesMax)
                return fail(
                    Code::Full,
                    {"trop de dossiers pour une commande", "too many records for a command"},
                    {"nommez un patient", "name one patient"});
        }
    }
    return lines;
}

std::vector<access::PastAccess> accesses_of(std::span<const event::Event> events,
                                            access::Accounts& accounts) {
    using event::Type;
    std::vector<access::PastAccess> past;
    for (const event::Event& event : events) {
        const auto type = static_cast<unsigned>(event.type);
        const bool about_record = (type >= 32 && type < 64 && event.type != Type::AccessRefused &&
                                   event.type != Type::ConsentDecided) ||
                                  event.type == Type::Reported;
        if (!about_record || event.subject.patient.empty() ||
            event.outcome != event::Outcome::Success || event.actor.auth == "os")
            continue;
        // Its leave explains it, and is named there.
        if (const auto why = event.detail.find("why");
            why != event.detail.end() && why->second == "circle.purpose")
            continue;
        const auto account = accounts.find(event.actor.id.str());
        if (account && account->role != access::Role::Care && account->role != access::Role::Desk &&
            account->role != access::Role::Patient)
            continue;
        const bool named = account && !account->person.empty();
        // Reception whom the directory does not name: the role alone let them in, and explains it.
        if (account && !named && account->role == access::Role::Desk) continue;
        past.push_back({.id = event.id,
                        .actor = named ? account->person : event.actor.id.str(),
                        .patient = std::string(kPatient) + event.subject.patient.str(),
                        .resource = event.subject.object.str(),
                        .time = event.time,
                        .break_glass = event.break_glass || event.type == Type::BreakGlass,
                        .writing = event.action != event::Action::Read &&
                                   event.action != event::Action::Execute});
    }
    return past;
}

std::string findings_of(const access::CircleWorld& world,
                        std::span<const access::PastAccess> accesses) {
    std::string lines;
    std::size_t unexplained = 0;
    for (const access::PastAccess& past : accesses) {
        const access::Finding finding = judge(world.index(), resolve(world, past));
        if (finding == access::Finding::Explained) continue;
        ++unexplained;
        const Text words = sentence_of(finding);
        lines += nlohmann::json{{"event", past.id},
                                {"actor", past.actor},
                                {"patient", past.patient},
                                {"time", to_rfc3339(past.time)},
                                {"finding", access::name_of(finding)},
                                {"fr", words.fr},
                                {"en", words.en}}
                     .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
                 "\n";
    }
    lines +=
        nlohmann::json{{"summary", {{"accesses", accesses.size()}, {"to_look_at", unexplained}}}}
            .dump() +
        "\n";
    return lines;
}

std::vector<access::Unexplained> to_look_at(const access::CircleWorld& world,
                                            std::span<const event::Event> events,
                                            access::Accounts& accounts) {
    using access::Finding;
    std::map<std::string_view, const event::Event*> by_id;
    std::set<std::string> known;
    for (const event::Event& event : events) {
        by_id.emplace(event.id, &event);
        if (access::is_finding(event)) known.insert(access::key_of(event));
    }
    std::map<std::string, access::Unexplained> found;
    for (const access::PastAccess& past : accesses_of(events, accounts)) {
        const Finding finding = judge(world.index(), resolve(world, past));
        if (finding != Finding::Unexplained && finding != Finding::Against &&
            finding != Finding::UnknownActor)
            continue;
        const event::Event& event = *by_id.at(past.id);
        // Somebody with an account whom the house's directory does not name: nobody to look at.
        if (finding == Finding::UnknownActor && accounts.find(event.actor.id.str())) continue;
        access::Unexplained one{.event = past.id,
                                .time = past.time,
                                .actor = event.actor.id,
                                .role = event.actor.role,
                                .patient = event.subject.patient,
                                .finding = std::string(access::name_of(finding))};
        std::string key = access::key_of(one);
        if (known.contains(key)) continue;
        const auto [place, is_new] = found.try_emplace(std::move(key), one);
        if (is_new) continue;
        one.times = place->second.times + 1;
        if (one.time < place->second.time)
            place->second = std::move(one);
        else
            place->second.times = one.times;
    }
    std::vector<access::Unexplained> all;
    for (auto& [key, one] : found) all.push_back(std::move(one));
    return all;
}

Result<PastWorld> past_world(vault::Vault& vault, access::PolicyShelf& policy) {
    access::Loaded loaded;
    access::read_world(as_text(TRY(world_lines(vault, ""))), loaded);
    PastWorld past{std::make_unique<access::Policy>(*policy.current()), nullptr};
    past.policy->desk_needs_reason = true;
    past.world = std::make_unique<access::CircleWorld>(
        access::CircleWorld::build(std::move(loaded.facts), *past.policy));
    return past;
}

}  // namespace hygie::app
