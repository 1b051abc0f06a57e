#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <future>
#include <map>
#include <set>
#include <span>

#include "base/escape.h"
#include "base/only.h"
#include "fhir/search/search_query.h"
#include "guards/records/desk/backstage.h"
#include "guards/records/desk/exports.h"
#include "guards/records/desk/handlers.h"
#include "guards/records/desk/operation_input.h"
#include "guards/records/sight/around.h"
#include "guards/records/sight/search.h"
#include "vault/unassigned.h"

/// $export (https://hl7.org/fhir/uv/bulkdata/STU2/export.html): asynchronous, record by record. A
/// record is in the ledger before a byte of it can be fetched.
namespace hygie::records {

namespace {

using event::Type;

struct Filter {
    std::string type;
    std::string query;
};

/// What is exported, as asked.
struct Wanted {
    WallTime since = WallTime::min();
    std::set<std::string, std::less<>> types{};     ///< empty: all
    std::vector<Filter> filters{};                  ///< of a type: any of them
    std::string group{};                            ///< id; empty: everybody open to the actor
    std::set<std::string, std::less<>> patients{};  ///< of those; empty: all
    bool with_house = false;
};

std::vector<std::string> split(std::string_view list) {
    std::vector<std::string> parts;
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        if (comma > 0) parts.emplace_back(list.substr(0, comma));
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return parts;
}

std::unexpected<Refusal> bad_parameter() {
    return refuse(400, "not-supported",
                  {"un paramètre de cet export est inconnu, ou sa valeur",
                   "a parameter of this export is unknown, or its value"},
                  {"conviennent _since, _type, _typeFilter, patient et _outputFormat",
                   "fitting are _since, _type, _typeFilter, patient and _outputFormat"});
}

/// "Observation?code=a,b,Condition?code=c": a comma within a query is followed by no other query.
std::vector<std::string> split_filters(std::string_view list) {
    std::vector<std::string> filters;
    for (std::string& part : split(list)) {
        if (part.contains('?') || filters.empty())
            filters.push_back(std::move(part));
        else
            filters.back() += ',' + part;
    }
    return filters;
}

Answer<void> add_filters(Wanted& wanted, const Desk& desk, std::string_view value) {
    for (const std::string& one : split_filters(value)) {
        const auto question = one.find('?');
        if (question == one.npos) return bad_parameter();
        Filter filter{one.substr(0, question), one.substr(question + 1)};
        const auto parameters = TRY(parse_query(filter.query));
        TRY(fhir::parse_query(filter.type, parameters, {.base = desk.options.base, .now = {}}));
        wanted.filters.push_back(std::move(filter));
    }
    return {};
}

/// The patients that the body of a POST names.
Answer<void> add_patients(Wanted& wanted, const OperationInput& input) {
    constexpr std::string_view kPatient = "Patient/";
    for (const fhir::Json parameter : input.body["parameter"].items()) {
        if (parameter["name"].text() != "patient") continue;
        const std::string_view reference = parameter["valueReference"]["reference"].text();
        if (!is_literal_reference(reference) || !reference.starts_with(kPatient))
            return bad_parameter();
        wanted.patients.emplace(reference.substr(kPatient.size()));
    }
    return {};
}

Answer<Wanted> wanted_of(const Desk& desk, const Call& call) {
    constexpr std::array<std::string_view, 5> kKnown = {"_since", "_type", "_typeFilter",
                                                        "_outputFormat", "patient"};
    const OperationInput input = TRY(read_input(call, kKnown));
    Wanted wanted{.with_house = call.target.shape == Shape::SystemOperation};
    if (call.target.shape == Shape::InstanceOperation) wanted.group = call.target.id;
    TRY_STATUS(add_patients(wanted, input));
    for (const auto& [name, value] : input.texts) {
        if (name == "_since") {
            wanted.since = TRY(from_rfc3339(value));
        } else if (name == "_type") {
            for (std::string& type : split(value)) {
                if (!is_resource_type(type)) return bad_parameter();
                wanted.types.insert(std::move(type));
            }
        } else if (name == "_typeFilter") {
            TRY_STATUS(add_filters(wanted, desk, value));
        } else if (name == "_outputFormat" ? !value.contains("ndjson") : !call.wishes.lenient) {
            return bad_parameter();
        }
    }
    return wanted;
}

/// Ids of the patients that a Group has as members.
Answer<std::vector<std::string>> members_of(Sight& sight, const std::string& group) {
    const auto found = TRY(sight.open(event::Action::Read, "Group", group));
    const vault::Version version = TRY(sight.desk().rooms.vault.read(found));
    const auto document = TRY(fhir::parse(version.body));
    std::vector<std::string> patients;
    for (const fhir::Json member : document.root["member"].items()) {
        const std::string_view reference = member["entity"]["reference"].text();
        if (member["inactive"].kind() != fhir::Json::Kind::True &&
            reference.starts_with("Patient/"))
            patients.emplace_back(reference.substr(reference.find('/') + 1));
    }
    return patients;
}

/// Records to look into; what of them is open to the actor is judged resource by resource.
Answer<std::vector<std::string>> patients_of(Sight& sight, const Wanted& wanted) {
    if (!wanted.patients.empty() && wanted.group.empty())
        return std::vector<std::string>(wanted.patients.begin(), wanted.patients.end());
    if (!wanted.group.empty()) {
        auto members = TRY(members_of(sight, wanted.group));
        std::erase_if(members, [&](const std::string& member) {
            return !wanted.patients.empty() && !wanted.patients.contains(member);
        });
        return members;
    }
    if (sight.call().actor.person.empty()) return TRY(sight.desk().rooms.vault.patients());
    std::vector<std::string> patients;
    for (const auto& record : TRY(records_around(sight, "Observation"))) {
        if (!record->patient().empty()) patients.emplace_back(record->patient());
    }
    return patients;
}

/// Carries an export out, on a thread of the backstage.
class Exporting {
  public:
    Exporting(Desk& desk, std::shared_ptr<Call> call, std::shared_ptr<Export> one, Wanted wanted)
        : desk_(desk),
          call_(std::move(call)),
          sight_(desk, *call_),
          export_(std::move(one)),
          wanted_(std::move(wanted)) {}

    void run() {
        const bool done = carry_out().has_value();
        const std::lock_guard lock(export_->mutex);
        export_->state = done ? Export::State::Done : Export::State::Failed;
    }

  private:
    Answer<void> carry_out();
    Answer<void> give(const vault::Record& record);
    Answer<void> keep_pace(const vault::Record& record);
    Answer<std::vector<vault::Found>> chosen(const vault::Record& record);
    Answer<std::set<std::string>> passing(std::string_view type, const vault::Record& record);
    Status tell_ledger(const vault::Record& record, std::span<const vault::Found> given);

    Desk& desk_;
    std::shared_ptr<Call> call_;
    Sight sight_;
    std::shared_ptr<Export> export_;
    Wanted wanted_;
};

Answer<void> Exporting::carry_out() {
    auto patients = TRY(patients_of(sight_, wanted_));
    if (wanted_.with_house) {
        patients.emplace_back();
        patients.emplace_back(vault::kUnassigned);
    }
    {
        const std::lock_guard lock(export_->mutex);
        export_->patients = patients.size();
    }
    for (const std::string& patient : patients) {
        if (desk_.backstage->stopping() || desk_.is_held(call_->actor))
            return std::unexpected(not_found());
        if (const auto record = desk_.rooms.vault.record(patient)) TRY_STATUS(give(**record));
        const std::lock_guard lock(export_->mutex);
        if (export_->cancelled) return std::unexpected(not_found());
        ++export_->patients_done;
    }
    return {};
}

/// Resources of a record that were asked for and that the actor may read.
Answer<std::vector<vault::Found>> Exporting::chosen(const vault::Record& record) {
    auto found = TRY(desk_.rooms.vault.everything(record.patient()));
    std::map<std::string_view, std::set<std::string>> filtered;
    for (const Filter& filter : wanted_.filters) {
        if (!filtered.contains(filter.type))
            filtered.emplace(filter.type, TRY(passing(filter.type, record)));
    }
    std::erase_if(found, [&](const vault::Found& one) {
        const bool is_asked = wanted_.types.empty() || wanted_.types.contains(one.entry.type);
        if (!is_asked || one.entry.updated < wanted_.since) return true;
        const auto passed = filtered.find(one.entry.type);
        if (passed != filtered.end() && !passed->second.contains(std::string(one.entry.id)))
            return true;
        return !sight_.may(event::Action::Read, one);
    });
    return found;
}

/// Ids that a filter of the type lets through.
Answer<std::set<std::string>> Exporting::passing(std::string_view type,
                                                 const vault::Record& record) {
    std::set<std::string> ids;
    for (const Filter& filter : wanted_.filters) {
        if (filter.type != type) continue;
        auto query =
            TRY(fhir::parse_query(type, TRY(parse_query(filter.query)),
                                  {.base = desk_.options.base, .now = desk_.rooms.clock.now()}));
        query.count = fhir::kQueryCountMax;
        do {
            auto searched = TRY(run_search(sight_, query, record.patient()));
            for (const vault::Found& found : searched.page.page) ids.emplace(found.entry.id);
            query.position = std::move(searched.page.next);
        } while (!query.position.empty());
    }
    return ids;
}

Status Exporting::tell_ledger(const vault::Record& record, std::span<const vault::Found> given) {
    event::Event e = event_of(desk_, *call_, Type::RecordExported, record.patient(), {});
    e.query = call_->asked;
    e.detail["shown"] = fmt::format("{}", given.size());
    add_glasses(sight_, event::Action::Read, given, {&e, 1});
    std::promise<Status> kept;
    auto waiting = kept.get_future();
    desk_.rooms.trace.submit(only(std::move(e)), [&](Status status) { kept.set_value(status); });
    return waiting.get();
}

/// A person's export counts like reading: far beyond every habit it stops.
Answer<void> Exporting::keep_pace(const vault::Record& record) {
    std::vector<event::Event> events = {
        event_of(desk_, *call_, Type::RecordExported, record.patient(), {})};
    if (auto refusal = held(desk_, *call_, events, call_->pressure))
        return std::unexpected(*std::move(refusal));
    return {};
}

Answer<void> Exporting::give(const vault::Record& record) {
    const auto found = TRY(chosen(record));
    if (found.empty()) return {};
    TRY_STATUS(keep_pace(record));
    TRY_STATUS(tell_ledger(record, found));
    std::map<std::string_view, std::pair<std::string, std::uint64_t>> lines;
    for (const vault::Found& one : found) {
        auto& [text, count] = lines[one.entry.type];
        text += TRY(desk_.rooms.vault.read(one)).body;
        text += '\n';
        ++count;
    }
    for (const auto& [type, text] : lines)
        TRY_STATUS(append_part(desk_, *export_, type, text.first, text.second));
    return {};
}

std::string manifest_of(const Desk& desk, const Export& one) {
    std::string out =
        fmt::format(R"({{"transactionTime":"{}","request":)", to_rfc3339(one.started));
    append_json_string(out, one.request);
    out += R"(,"requiresAccessToken":true,"output":[)";
    for (const ExportPart& part : one.parts) {
        if (out.back() == '}') out += ',';
        out += fmt::format(R"({{"type":"{}","url":"{}_export/{}/{}","count":{}}})", part.type,
                           desk.options.base, one.id, part.name, part.count);
    }
    out += R"(],"error":[]})";
    return out;
}

Answer<std::shared_ptr<Export>> own_export(Desk& desk, const Call& call) {
    if (auto one = desk.exports->find(call.actor.id, call.target.id)) return one;
    return std::unexpected(not_found());
}

event::Event export_event(const Desk& desk, const Call& call) {
    event::Event e = event_of(desk, call, Type::RecordExported, {}, {});
    e.query = call.asked;
    return e;
}

}  // namespace

Answer<Disclosure> start_export(Desk& desk, const Call& call) {
    if (desk.options.export_dir.empty()) return std::unexpected(not_found());
    // Whole practices at once are what thieves of an account want.
    if (call.actor.role != access::Role::Program)
        return refuse(
            403, "forbidden",
            {"un export de masse est l'affaire d'un logiciel enregistré, pas d'une personne",
             "a bulk export is for a registered program, not for a person"},
            {"faites-le faire par un logiciel (hygie user add --role program), ou lisez "
             "un dossier par $everything",
             "have a program do it (hygie user add --role program), or read one record "
             "by $everything"});
    if (!call.wishes.asynchronous)
        return refuse(
            400, "required", {"un export se fait en différé", "an export is asynchronous"},
            {"ajoutez l'en-tête Prefer: respond-async", "add the header Prefer: respond-async"});
    Wanted wanted = TRY(wanted_of(desk, call));
    if (!wanted.group.empty()) {
        Sight sight(desk, call);
        TRY(sight.open(event::Action::Read, "Group", wanted.group));
    }
    const auto one = TRY(desk.exports->start(call));
    auto kept = std::make_shared<Call>();
    kept->actor = call.actor;
    kept->policy = call.policy;
    kept->justified = call.justified;
    kept->request.peer = call.request.peer;
    kept->asked = call.asked;
    const bool taken =
        desk.backstage->add([&desk, kept, one, wanted = std::move(wanted)]() mutable {
            Exporting(desk, kept, one, std::move(wanted)).run();
        });
    if (!taken) {
        desk.exports->remove(one);
        return refuse(429, "throttled", {"trop de travaux en attente", "too much work is waiting"},
                      {"recommencez plus tard", "try again later"});
    }
    http::Response response{.status = 202};
    response.headers.emplace_back("Content-Location",
                                  fmt::format("{}_export/{}", desk.options.base, one->id));
    return Disclosure{std::move(response), {export_event(desk, call)}};
}

Answer<Disclosure> export_status(Desk& desk, const Call& call) {
    const auto one = TRY(own_export(desk, call));
    const std::lock_guard lock(one->mutex);
    if (one->state == Export::State::Failed)
        return refuse(500, "exception", {"l'export a échoué", "the export failed"},
                      {"relancez-le", "start it again"});
    if (one->state == Export::State::Running) {
        http::Response response{.status = 202};
        response.headers.emplace_back("X-Progress",
                                      fmt::format("{}/{}", one->patients_done, one->patients));
        response.headers.emplace_back("Retry-After", "1");
        return Disclosure{std::move(response), {}};
    }
    http::Response response = json_response(call, 200, manifest_of(desk, *one));
    response.content_type = "application/json";
    response.headers.emplace_back("Expires", http_date(one->started + Exports::kKept));
    return Disclosure{std::move(response), {export_event(desk, call)}};
}

Answer<Disclosure> export_file(Desk& desk, const Call& call) {
    const auto one = TRY(own_export(desk, call));
    if (call.is_held(desk.rooms.clock.now()))
        return std::unexpected(
            held_by_incident(call.frozen ? access::Rule::Frozen : access::Rule::Contained));
    const std::lock_guard lock(one->mutex);
    const auto part = std::ranges::find(one->parts, call.target.name, &ExportPart::name);
    if (one->state != Export::State::Done || part == one->parts.end())
        return std::unexpected(not_found());
    http::Response response{.content_type = std::string(kNdjson)};
    response.body = TRY(read_part(desk, *one, *part));
    return Disclosure{std::move(response), {export_event(desk, call)}};
}

Answer<Disclosure> end_export(Desk& desk, const Call& call) {
    desk.exports->remove(TRY(own_export(desk, call)));
    return Disclosure{{.status = 202}, {export_event(desk, call)}};
}

}  // namespace hygie::records
