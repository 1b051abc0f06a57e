#include "event/ndjson.h"

#include <fmt/format.h>

#include <array>

#include "base/escape.h"
#include "event/balp.h"
#include "event/json_parser.h"
#include "event/uuid.h"

namespace hygie::event {

namespace {

using simdjson::dom::element;
using simdjson::dom::object;

/// The place of a field, for error messages only: made of names of the schema, never of the line's
/// bytes.
struct Path {
    const Path* parent = nullptr;
    std::string_view name;

    std::string str() const {
        if (!parent || parent->name.empty()) return std::string(name);
        return parent->str() + '.' + std::string(name);
    }
};

std::unexpected<Error> bad_field(const Path& path, std::string_view fr, std::string_view en) {
    const std::string name = path.str();
    return fail(
        Code::BadInput,
        {fmt::format("Champ « {} » : {}.", name, fr), fmt::format("Field “{}”: {}.", name, en)},
        {"Voyez le schéma d’une ligne dans src/event/FORMAT.md.",
         "See the schema of a line in src/event/FORMAT.md."});
}

std::unexpected<Error> not_json() {
    return fail(
        Code::BadInput,
        {"La ligne n’est pas un objet JSON valide en UTF-8, ou elle est trop profonde.",
         "The line is not a valid JSON object in UTF-8, or it is too deep."},
        {"Écrivez un objet JSON complet par ligne.", "Write one whole JSON object a line."});
}

Result<std::string_view> read_text(element value, const Path& path) {
    std::string_view text;
    if (value.get(text)) return bad_field(path, "il faut un texte", "text is needed");
    return text;
}

Result<std::uint64_t> read_number(element value, const Path& path) {
    std::uint64_t number = 0;
    if (value.get(number))
        return bad_field(path, "il faut un entier positif", "a positive integer is needed");
    return number;
}

Result<object> read_object(element value, const Path& path) {
    object fields;
    if (value.get(fields)) return bad_field(path, "il faut un objet", "an object is needed");
    return fields;
}

/// Calls `read(index, value, path)` for each field of an object, `index` being its place in
/// `names`. Refuses other names and names that come twice.
template <std::size_t N, typename Read>
Status read_fields(object fields, const Path& path, const std::array<std::string_view, N>& names,
                   Read read) {
    static_assert(N <= 32);
    std::uint32_t seen = 0;
    int place = 0;
    for (const auto& [name, value] : fields) {
        ++place;
        const auto found = std::ranges::find(names, name);
        if (found == names.end())
            return bad_field({&path, fmt::format("n° {}", place)}, "son nom n’est pas connu ici",
                             "its name is not known here");
        const auto index = static_cast<std::size_t>(found - names.begin());
        const Path here{&path, names[index]};
        if ((seen >> index & 1) != 0)
            return bad_field(here, "il est donné deux fois", "it is given twice");
        seen |= 1u << index;
        TRY_STATUS(read(index, value, here));
    }
    return {};
}

/// Reads an object whose fields are all text into the strings of `targets`, in the order of
/// `names`.
template <std::size_t N>
Status read_texts(element value, const Path& path, const std::array<std::string_view, N>& names,
                  const std::array<std::string*, N>& targets) {
    return read_fields(TRY(read_object(value, path)), path, names,
                       [&](std::size_t index, element field, const Path& here) -> Status {
                           *targets[index] = TRY(read_text(field, here));
                           return {};
                       });
}

Status read_actor(element value, const Path& path, Actor& actor) {
    constexpr std::array<std::string_view, 5> kNames{"id", "role", "auth", "on_behalf_of",
                                                     "organisation"};
    std::string id;
    std::string on_behalf_of;
    TRY_STATUS(read_texts(value, path, kNames,
                          {&id, &actor.role, &actor.auth, &on_behalf_of, &actor.organisation}));
    actor.id = ActorId(std::move(id));
    actor.on_behalf_of = ActorId(std::move(on_behalf_of));
    return {};
}

Status read_network(element value, const Path& path, Network& network) {
    constexpr std::array<std::string_view, 2> kNames{"address", "device"};
    return read_texts(value, path, kNames, {&network.address, &network.device});
}

Status read_reasons(element value, const Path& path, std::vector<Reason>& reasons) {
    constexpr std::array<std::string_view, 4> kNames{"id", "fr", "en", "evidence"};
    simdjson::dom::array items;
    if (value.get(items)) return bad_field(path, "il faut une liste", "a list is needed");
    for (const element item : items) {
        Reason& r = reasons.emplace_back();
        TRY_STATUS(read_texts(item, path, kNames, {&r.id, &r.text.fr, &r.text.en, &r.evidence}));
    }
    return {};
}

/// A name out of a vocabulary.
template <typename Value>
Result<Value> read_name(element value, const Path& path,
                        std::optional<Value> (*named)(std::string_view)) {
    const auto known = named(TRY(read_text(value, path)));
    if (!known)
        return bad_field(path, "cette valeur n’est pas dans le vocabulaire",
                         "this value is not in the vocabulary");
    return *known;
}

Status read_verdict(element value, const Path& path, Verdict& verdict) {
    constexpr std::array<std::string_view, 3> kNames{"level", "score_permille", "reasons"};
    const auto read = [&](std::size_t index, element field, const Path& here) -> Status {
        if (index == 0) {
            verdict.level = TRY(read_name(field, here, level_named));
        } else if (index == 1) {
            const auto score = TRY(read_number(field, here));
            if (score > kScorePermilleMax)
                return bad_field(here, "il dépasse 1000", "it is above 1000");
            verdict.score_permille = static_cast<std::uint16_t>(score);
        } else {
            return read_reasons(field, here, verdict.reasons);
        }
        return {};
    };
    return read_fields(TRY(read_object(value, path)), path, kNames, read);
}

Status read_detail(element value, const Path& path, std::map<std::string, std::string>& detail) {
    for (const auto& [name, text] : TRY(read_object(value, path))) {
        const auto [at, fresh] = detail.emplace(name, TRY(read_text(text, path)));
        if (!fresh) return bad_field(path, "un nom y vient deux fois", "a name comes twice in it");
        if (name == kFhirDetail) TRY_STATUS(check_audit_event(at->second));
    }
    return {};
}

Result<WallTime> read_time(element value, const Path& path) {
    const auto time = from_rfc3339(TRY(read_text(value, path)));
    if (!time || time->time_since_epoch().count() < 0)
        return bad_field(path,
                         "il faut une date RFC 3339 à partir de 1970, par exemple "
                         "2026-11-24T08:30:00Z",
                         "an RFC 3339 time from 1970 on is needed, such as 2026-11-24T08:30:00Z");
    return *time;
}

Result<std::string> read_id(element value, const Path& path) {
    const auto id = TRY(read_text(value, path));
    if (!parse_uuid(id))
        return bad_field(path, "il faut un UUID en minuscules", "a lower-case UUID is needed");
    return std::string(id);
}

// The schema of a line: one name per field, in the order print_line writes them.
enum Field : std::size_t {
    kId,
    kType,
    kTime,
    kSource,
    kNode,
    kCounter,
    kActor,
    kPatient,
    kObject,
    kAction,
    kOutcome,
    kPurpose,
    kBreakGlass,
    kNetwork,
    kRequestId,
    kBasis,
    kQuery,
    kRetention,
    kVerdict,
    kDetail,
};
constexpr std::array<std::string_view, kDetail + 1> kFieldNames{
    "id",         "type",   "time",   "source",    "node",    "counter",     "actor",
    "patient",    "object", "action", "outcome",   "purpose", "break_glass", "network",
    "request_id", "basis",  "query",  "retention", "verdict", "detail"};

/// What a line said, beside the event, about fields whose default depends on others.
struct Given {
    bool type = false;
    bool time = false;
    bool action = false;
};

Status read_field(std::size_t field, element value, const Path& path, Event& event, Given& given) {
    const auto text = [&] { return read_text(value, path); };
    switch (field) {
        case kId:
            event.id = TRY(read_id(value, path));
            break;
        case kType:
            event.type = TRY(read_name(value, path, type_named));
            given.type = true;
            break;
        case kTime:
            event.time = TRY(read_time(value, path));
            given.time = true;
            break;
        case kSource:
            event.source = SourceId(std::string(TRY(text())));
            break;
        case kNode:
            event.node = NodeId(std::string(TRY(text())));
            break;
        case kCounter:
            event.counter = TRY(read_number(value, path));
            break;
        case kActor:
            return read_actor(value, path, event.actor);
        case kPatient:
            event.subject.patient = PatientId(std::string(TRY(text())));
            break;
        case kObject:
            event.subject.object = ObjectId(std::string(TRY(text())));
            break;
        case kAction:
            event.action = TRY(read_name(value, path, action_named));
            given.action = true;
            break;
        case kOutcome:
            event.outcome = TRY(read_name(value, path, outcome_named));
            break;
        case kPurpose:
            event.purpose = TRY(text());
            break;
        case kBreakGlass:
            if (value.get(event.break_glass))
                return bad_field(path, "il faut true ou false", "true or false is needed");
            break;
        case kNetwork:
            return read_network(value, path, event.network);
        case kRequestId:
            event.request_id = TRY(text());
            break;
        case kBasis:
            event.basis = TRY(text());
            break;
        case kQuery:
            event.query = TRY(text());
            break;
        case kRetention:
            event.retention = TRY(read_name(value, path, retention_named));
            break;
        case kVerdict:
            return read_verdict(value, path, event.verdict.emplace());
        default:
            return read_detail(value, path, event.detail);
    }
    return {};
}

Result<Event> read_native(object fields, Clock& clock) {
    Event event;
    Given given;
    TRY_STATUS(read_fields(fields, {}, kFieldNames,
                           [&](std::size_t field, element value, const Path& path) {
                               return read_field(field, value, path, event, given);
                           }));
    if (!given.type) return bad_field({nullptr, "type"}, "il manque", "it is missing");
    if (!given.time) event.time = clock.now();
    if (!given.action) event.action = usual_action(event.type);
    return event;
}

Status check_outsider(const Event& event) {
    if (is_about_ledger(event.type) || event.retention == Retention::System)
        return bad_field({nullptr, event.retention == Retention::System ? "retention" : "type"},
                         "seul le journal écrit lui-même cette valeur",
                         "only the ledger itself writes this value");
    return {};
}

void append_text(std::string& out, std::string_view key, std::string_view value) {
    if (value.empty()) return;
    out += key;
    append_json_string(out, value);
}

/// Appends `,"name":{…}`, or nothing when no pair has a value. Keys are given with their
/// punctuation.
void append_object(std::string& out, std::string_view open,
                   std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
    const std::size_t before = out.size();
    out += open;
    const std::size_t start = out.size();
    for (const auto& [key, value] : pairs) append_text(out, key, value);
    if (out.size() == start) {
        out.resize(before);
        return;
    }
    out[start] = '{';  // in place of the first comma; so does print_line
    out += '}';
}

void append_verdict(std::string& out, const Verdict& verdict) {
    out += R"(,"verdict":{"level":)";
    append_json_string(out, name_of(verdict.level));
    out += R"(,"score_permille":)";
    out += std::to_string(verdict.score_permille);
    out += R"(,"reasons":[)";
    for (const auto& reason : verdict.reasons) {
        if (out.back() == '}') out += ',';
        out += R"({"id":)";
        append_json_string(out, reason.id);
        append_text(out, R"(,"fr":)", reason.text.fr);
        append_text(out, R"(,"en":)", reason.text.en);
        append_text(out, R"(,"evidence":)", reason.evidence);
        out += '}';
    }
    out += "]}";
}

void append_detail(std::string& out, const std::map<std::string, std::string>& detail) {
    out += R"(,"detail":)";
    char before = '{';
    for (const auto& [name, value] : detail) {
        out += before;
        append_json_string(out, name);
        out += ':';
        append_json_string(out, value);
        before = ',';
    }
    out += '}';
}

}  // namespace

Result<Event> parse_line(std::string_view line, const LineOrigin& origin) {
    if (line.size() > limits::kEventBytesMax)
        return fail(Code::BadInput,
                    {"La ligne dépasse 60 000 octets.", "The line is longer than 60,000 bytes."},
                    {"Ne tracez que la référence ou l’empreinte d’un contenu long.",
                     "Trace only the reference or digest of long content."});
    thread_local auto parser = make_json_parser();
    object fields;
    if (parser.parse(line.data(), line.size()).get(fields)) return not_json();
    auto event =
        fields["resourceType"].error() ? read_native(fields, origin.clock) : from_audit_event(line);
    if (!event) return event;
    TRY_STATUS(check_outsider(*event));
    if (event->id.empty()) event->id = print_uuid(make_uuid(event->time, origin.random));
    if (event->source.empty()) event->source = origin.source;
    if (event->node.empty()) event->node = origin.node;
    return event;
}

void print_line(const Event& e, std::string& out) {
    const std::size_t start = out.size();
    append_text(out, R"(,"id":)", e.id);
    append_text(out, R"(,"type":)", name_of(e.type));
    append_text(out, R"(,"time":)", to_rfc3339(e.time));
    append_text(out, R"(,"source":)", e.source.str());
    append_text(out, R"(,"node":)", e.node.str());
    if (e.counter != 0) out += R"(,"counter":)" + std::to_string(e.counter);
    append_object(out, R"(,"actor":)",
                  {{R"(,"id":)", e.actor.id.str()},
                   {R"(,"role":)", e.actor.role},
                   {R"(,"auth":)", e.actor.auth},
                   {R"(,"on_behalf_of":)", e.actor.on_behalf_of.str()},
                   {R"(,"organisation":)", e.actor.organisation}});
    append_text(out, R"(,"patient":)", e.subject.patient.str());
    append_text(out, R"(,"object":)", e.subject.object.str());
    append_text(out, R"(,"action":)", name_of(e.action));
    append_text(out, R"(,"outcome":)", name_of(e.outcome));
    append_text(out, R"(,"purpose":)", e.purpose);
    if (e.break_glass) out += R"(,"break_glass":true)";
    append_object(out, R"(,"network":)",
                  {{R"(,"address":)", e.network.address}, {R"(,"device":)", e.network.device}});
    append_text(out, R"(,"request_id":)", e.request_id);
    append_text(out, R"(,"basis":)", e.basis);
    append_text(out, R"(,"query":)", e.query);
    append_text(out, R"(,"retention":)", name_of(e.retention));
    if (e.verdict) append_verdict(out, *e.verdict);
    if (!e.detail.empty()) append_detail(out, e.detail);
    out[start] = '{';
    out += '}';
}

}  // namespace hygie::event
