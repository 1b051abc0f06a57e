#include <algorithm>
#include <charconv>

#include "base/only.h"
#include "event/balp.h"
#include "fhir/search/search_query.h"
#include "fhir/search/search_single.h"
#include "fhir/search/search_value.h"
#include "guards/records/desk/handlers.h"
#include "guards/records/request/bundle.h"
#include "guards/records/request/shaping.h"
#include "guards/records/sight/sight.h"

/// AuditEvent: the ledger in the words of IHE BALP, read only. What is shown of it is judged like
/// the record that it is about, and is an entry of the ledger itself.
namespace hygie::records {

namespace {

constexpr std::size_t kCountDefault = 20;
constexpr std::size_t kCountMax = 200;
constexpr int kRoundsMax = 10;                ///< questions to the ledger for one page
constexpr std::size_t kCountRoundsMax = 100;  ///< pages that are counted

/// The logins of this house; professions by TRE_G15.
constexpr std::string_view kLogins = "urn:hygie:login";
constexpr std::string_view kProfessions =
    "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante";

Answer<AuditTrail*> trail_of(const Desk& desk) {
    if (desk.rooms.audit) return desk.rooms.audit;
    return refuse(404, "not-supported",
                  {"le journal n'est pas servi ici", "the ledger is not served here"},
                  {"adressez-vous au serveur principal", "ask the main server"});
}

access::Decision decision_on(Sight& sight, const std::string& patient) {
    const auto record = patient.empty() ? Result<std::shared_ptr<const vault::Record>>()
                                        : sight.desk().rooms.vault.record(patient);
    const bool known = record && *record;
    return sight.decision(event::Action::Read, "AuditEvent", patient,
                          known ? (*record)->relations() : std::span<const access::Relation>());
}

/// Acts upon records, and searches: also where they name no patient, what was asked may.
bool may_name_somebody(const event::Event& event) {
    return (event.type >= event::Type::RecordRead && event.type <= event::Type::BreakGlass) ||
           !event.query.empty();
}

access::Decision decision_on(Sight& sight, const event::Event& event) {
    const std::string& patient = event.subject.patient.str();
    const bool is_of_house = patient.empty() && may_name_somebody(event);
    if (is_of_house && sight.call().actor.role == access::Role::Operations)
        return {.permitted = false,
                .reasons = {{.id = "records.trace_of_records",
                             .text = {"ce qui fut demandé des dossiers n'est pas pour "
                                      "l'exploitation",
                                      "what was asked of records is not for operations"},
                             .evidence = {}}}};
    return decision_on(sight, patient);
}

/// Who an account stands for, when it still does: as people and programs name them.
fhir::Json with_who(const Desk& desk, fhir::Arena& arena, fhir::Json agent) {
    const std::string login(agent["who"]["identifier"]["value"].text());
    if (login.empty() || !agent["requestor"] || agent["requestor"].text() != "true") return agent;
    const auto who = desk.options.who ? desk.options.who(ActorId(login)) : std::nullopt;
    if (!who) return agent;
    const fhir::Json identifier =
        arena.object({{"system", arena.string(kLogins)}, {"value", arena.string(login)}});
    std::vector<fhir::Member> reference;
    if (is_literal_reference(who->person))
        reference.push_back({"reference", arena.string(who->person)});
    reference.push_back({"identifier", identifier});
    reference.push_back({"display", arena.string(who->name)});
    agent = arena.with(agent, "who", arena.object(reference));
    agent = arena.with(agent, "altId", arena.string(login));
    agent = arena.with(agent, "name", arena.string(who->name));
    if (who->profession.empty()) return agent;
    std::vector<fhir::Json> roles(agent["role"].items().begin(), agent["role"].items().end());
    const fhir::Json coding = arena.object(
        {{"system", arena.string(kProfessions)}, {"code", arena.string(who->profession)}});
    roles.push_back(arena.object({{"coding", arena.array({&coding, 1})}}));
    return arena.with(agent, "role", arena.array(roles));
}

std::string with_names(const Desk& desk, std::string audit_event) {
    auto document = fhir::parse(audit_event);
    if (!document) return audit_event;
    std::vector<fhir::Json> agents;
    for (const fhir::Json agent : document->root["agent"].items())
        agents.push_back(with_who(desk, document->arena, agent));
    return fhir::to_text(
        document->arena.with(document->root, "agent", document->arena.array(agents)));
}

/// An entry as the asker may read it. What a caregiver typed to find patients names others, too:
/// the patient learns who asked, when and what for, not the question.
std::string shown(const Desk& desk, const Call& call, const AuditTrail::Entry& entry) {
    if (call.actor.role != access::Role::Patient)
        return with_names(desk, event::to_audit_event(entry.event, entry.place));
    event::Event event = entry.event;
    event.query.clear();
    return with_names(desk, event::to_audit_event(event, entry.place));
}

std::unexpected<Refusal> bad_parameter() {
    return refuse(400, "not-supported",
                  {"un paramètre de cette recherche est inconnu, ou sa valeur",
                   "a parameter of this search is unknown, or its value"},
                  {"voyez les paramètres d'AuditEvent dans GET [base]/metadata",
                   "see the parameters of AuditEvent in GET [base]/metadata"});
}

/// What the ledger is asked, and what is then looked for in the AuditEvents it gives.
struct Asked {
    AuditTrail::Question question{};
    Parameters filters{};
    std::optional<fhir::Query> query{};  ///< of the filters; none without any that finds
    Extent extent{};
    std::vector<std::string> left_out{};  ///< names that lenient handling ignored
    bool counts = false;                  ///< _summary=count: no entries
    bool tells_total = false;             ///< _total=accurate
};

bool fits(const Desk& desk, const Call& call, const Asked& asked, const AuditTrail::Entry& entry) {
    if (!asked.query) return true;
    const auto document = fhir::parse(shown(desk, call, entry));
    return document && fhir::would_find(*asked.query, document->root, entry.event.time);
}

/// "ge2026-01-01": the bounds it gives.
Answer<void> add_date(AuditTrail::Question& question, std::string_view value) {
    constexpr std::size_t kPrefix = 2;
    std::string_view prefix = "eq";
    if (value.size() > kPrefix && value[0] >= 'a' && value[0] <= 'z') {
        prefix = value.substr(0, kPrefix);
        value.remove_prefix(kPrefix);
    }
    const auto range = fhir::parse_date(value);
    if (!range) return bad_parameter();
    const WallTime first{Micros(range->first / fhir::kDateUnitsPerMicro)};
    const WallTime behind{Micros(range->last / fhir::kDateUnitsPerMicro + 1)};
    if (prefix == "ge" || prefix == "eq") question.from = std::max(question.from, first);
    if (prefix == "gt" || prefix == "sa") question.from = std::max(question.from, behind);
    if (prefix == "le" || prefix == "eq") question.until = std::min(question.until, behind);
    if (prefix == "lt" || prefix == "eb") question.until = std::min(question.until, first);
    if (!std::string_view("ge gt sa le lt eb eq").contains(prefix)) return bad_parameter();
    return {};
}

/// The ledger is asked about one patient, one account and one object: of several it would find
/// nothing, or those of the last, and that would pass for an answer.
template <typename Id>
Answer<void> set_once(Id& asked, std::string_view value) {
    if (!asked.str().empty() || value.empty() || value.contains(','))
        return refuse(400, "not-supported",
                      {"le journal se cherche un patient, un compte et un objet à la fois",
                       "the ledger is searched for one patient, one account and one object at a "
                       "time"},
                      {"donnez-en une valeur, et posez la question pour chacun",
                       "give one value, and ask for each"});
    asked = Id(std::string(value));
    return {};
}

std::string_view without_type(std::string_view reference, std::string_view type) {
    if (reference.starts_with(type) && reference.substr(type.size()).starts_with('/'))
        reference.remove_prefix(type.size() + 1);
    return reference;
}

Answer<void> add_count(Asked& asked, std::string_view value) {
    std::size_t& count = asked.question.count;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), count);
    if (error != std::errc() || end != value.data() + value.size()) return bad_parameter();
    asked.counts = asked.counts || count == 0;
    count = std::clamp<std::size_t>(count, 1, kCountMax);
    return {};
}

Answer<void> add_total(Asked& asked, std::string_view value) {
    if (value != "none" && value != "estimate" && value != "accurate") return bad_parameter();
    asked.tells_total = value == "accurate";
    return {};
}

/// R4 has these, the ledger does not.
bool is_beyond_ledger(std::string_view name) {
    return name.starts_with("_sort") || name.starts_with("_include") ||
           name.starts_with("_revinclude") || name.contains('.');
}

/// Understands what is looked for in the AuditEvents themselves, and how they are to be shown.
Answer<void> read_filters(const Desk& desk, const Call& call, Asked& asked) {
    auto query = TRY(fhir::parse_query("AuditEvent", asked.filters,
                                       {.lenient = call.wishes.lenient,
                                        .base = desk.options.base,
                                        .now = desk.rooms.clock.now()}));
    asked.extent = {query.summary, query.elements};
    std::ranges::move(query.left_out, std::back_inserter(asked.left_out));
    if (!query.all.empty()) asked.query = std::move(query);
    return {};
}

Answer<Asked> asked_of(const Desk& desk, const Call& call) {
    Asked asked{.question = {.count = kCountDefault}};
    AuditTrail::Question& question = asked.question;
    for (const auto& [name, value] : call.parameters) {
        const std::string_view link = below_base(value, desk.options.base);
        if (name == "patient") {
            TRY_STATUS(set_once(question.patient, without_type(link, "Patient")));
        } else if (name == "agent") {
            // By its person an account is found in what is shown of it.
            if (is_literal_reference(link))
                asked.filters.push_back({name, value});
            else
                TRY_STATUS(set_once(question.agent, link));
        } else if (name == "entity") {
            TRY_STATUS(set_once(question.object, link));
        } else if (name == "date") {
            TRY_STATUS(add_date(question, value));
        } else if (name == "_count") {
            TRY_STATUS(add_count(asked, value));
        } else if (name == "_summary" && value == "count") {
            asked.counts = true;
        } else if (name == "_total") {
            TRY_STATUS(add_total(asked, value));
        } else if (name == "_sort" && value == "-date") {
            continue;
        } else if (is_beyond_ledger(name)) {
            if (!call.wishes.lenient) return bad_parameter();
            asked.left_out.push_back(name);
        } else {
            asked.filters.push_back({name, value});
        }
    }
    if (call.cursor.offset > 0) question.before = call.cursor.offset;
    if (!asked.filters.empty()) TRY_STATUS(read_filters(desk, call, asked));
    return asked;
}

/// Entries that the asker may read, newest first, and whether there may be more.
struct AuditPage {
    std::vector<AuditTrail::Entry> entries{};
    std::optional<std::uint64_t> next_before{};
};

Answer<AuditPage> audit_page(Sight& sight, AuditTrail& trail, const Asked& asked) {
    AuditPage page;
    AuditTrail::Question question = asked.question;
    const std::size_t wanted = question.count;
    // Few of many may fit: a page of few is not to be looked for among few.
    if (asked.query) question.count = kCountMax;
    // Of a closed patient nothing is looked for: to look, and to go on, tells that there is
    // something.
    const std::string& patient = question.patient.str();
    if (!patient.empty() && !decision_on(sight, patient).permitted) return page;
    for (int round = 0; round < kRoundsMax; ++round) {
        auto entries = TRY(trail.search(question));
        for (AuditTrail::Entry& entry : entries) {
            if (page.entries.size() == wanted) return page;
            question.before = entry.place.index;
            page.next_before = entry.place.index;
            if (fits(sight.desk(), sight.call(), asked, entry) &&
                decision_on(sight, entry.event).permitted)
                page.entries.push_back(std::move(entry));
        }
        if (entries.size() < question.count) {
            page.next_before.reset();
            return page;
        }
        if (page.entries.size() == wanted) return page;
    }
    // What is about one object is open or closed as a whole.
    if (page.entries.empty() && !question.object.empty()) page.next_before.reset();
    return page;
}

/// How many entries there are that the asker may read; none when looking would take too long.
Answer<std::optional<std::size_t>> count_all(Sight& sight, AuditTrail& trail, Asked asked) {
    std::size_t total = 0;
    asked.question.count = kCountMax;
    asked.question.before.reset();
    for (std::size_t round = 0; round < kCountRoundsMax; ++round) {
        const AuditPage page = TRY(audit_page(sight, trail, asked));
        total += page.entries.size();
        if (!page.next_before) return std::optional(total);
        asked.question.before = page.next_before;
    }
    return std::optional<std::size_t>();
}

Answer<void> add_total(Sight& sight, AuditTrail& trail, const Asked& asked, BundleWriter& writer) {
    if (!asked.counts && !asked.tells_total) return {};
    const auto total = TRY(count_all(sight, trail, asked));
    if (!total)
        return refuse(413, "too-costly", {"trop de traces à compter", "too many entries to count"},
                      {"nommez le patient ou réduisez la période (patient, date)",
                       "name the patient or shorten the period (patient, date)"});
    writer.total(*total);
    return {};
}

/// The search as it was understood.
std::string link_of(const Desk& desk, const Call& call, const Asked& asked) {
    Parameters used = call.parameters;
    std::erase_if(used, [&](const Parameter& one) {
        return std::ranges::find(asked.left_out, one.name) != asked.left_out.end();
    });
    const std::string query = print_query(used);
    return desk.options.base + path_below_base(desk, call) + (query.empty() ? "" : "?") + query;
}

/// Whom the trace of a search is about: what was asked names nobody of whom nothing is here, and
/// whose first trace would take longer than another one of a patient who is.
std::string asked_about(Sight& sight, const std::string& patient) {
    const bool is_here = !patient.empty() && sight.desk().rooms.vault.record(patient).has_value();
    return is_here || (!patient.empty() && decision_on(sight, patient).permitted) ? patient : "";
}

}  // namespace

Answer<Disclosure> read_audit(Desk& desk, const Call& call) {
    AuditTrail* trail = TRY(trail_of(desk));
    Sight sight(desk, call);
    const Extent extent = TRY(read_extent(call.parameters, call.wishes));
    const auto entry = TRY(trail->read(call.target.id));
    const auto decision = decision_on(sight, entry.event);
    if (!decision.permitted) return std::unexpected(not_found(decision.reasons));
    event::Event e =
        event_of(desk, call, event::Type::LedgerRead, entry.event.subject.patient.str(),
                 reference_to("AuditEvent", call.target.id));
    add_basis(e, decision.reasons);
    return Disclosure{json_response(call, 200, shaped(shown(desk, call, entry), extent)),
                      only(std::move(e))};
}

Answer<Disclosure> search_audit(Desk& desk, const Call& call) {
    AuditTrail* trail = TRY(trail_of(desk));
    Sight sight(desk, call);
    const Asked asked = TRY(asked_of(desk, call));
    const AuditPage page = asked.counts ? AuditPage() : TRY(audit_page(sight, *trail, asked));
    BundleWriter writer("searchset", desk.options.base);
    TRY_STATUS(add_total(sight, *trail, asked, writer));
    writer.link("self", link_of(desk, call, asked));
    if (page.next_before) writer.link("next", page_link(desk, call, {.offset = *page.next_before}));
    for (const AuditTrail::Entry& entry : page.entries) {
        const std::string reference = reference_to("AuditEvent", entry.event.id);
        const std::string body = shaped(shown(desk, call, entry), asked.extent);
        writer.add({.reference = reference, .resource = body, .search_mode = "match"});
    }
    if (!asked.left_out.empty()) {
        const std::string outcome = left_out_outcome(call.wishes.lang);
        writer.add({.resource = outcome, .search_mode = "outcome"});
    }
    event::Event e = event_of(desk, call, event::Type::LedgerRead,
                              asked_about(sight, asked.question.patient.str()), {});
    e.query = call.asked;
    return Disclosure{json_response(call, 200, writer.finish()), only(std::move(e))};
}

}  // namespace hygie::records
