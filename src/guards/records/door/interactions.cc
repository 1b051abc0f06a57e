#include "guards/records/door/interactions.h"

#include "guards/records/door/allow.h"

#include <algorithm>
#include <vector>

#include "guards/records/desk/binary.h"
#include "guards/records/desk/own_operations.h"
#include "guards/records/desk/pace.h"
#include "guards/records/desk/pages.h"
#include "guards/records/desk/purpose.h"
#include "guards/records/desk/staff_room.h"

namespace hygie::records {

namespace {

using Act = event::Type;
using enum Shape;
using enum Method;

using Answering = decltype(Interaction::answers);
using Taking = decltype(Interaction::takes);

/// An interaction that shows something.
Interaction shows(Shape shape, Act event, Answering answers, std::string_view code = {}) {
    const bool posts = shape == SystemSearch || shape == TypeSearch || shape == CompartmentSearch;
    return {.shape = shape,
            .method = posts ? Post : Get,
            .code = code,
            .event = event,
            .query = Query::Taken,
            .answers = answers};
}

/// One that changes something.
Interaction changes(Shape shape, Method method, Act event, Taking takes,
                    std::string_view code = {}) {
    const bool conditional = shape == Type && method != Post;
    return {.shape = shape,
            .method = method,
            .code = code,
            .event = event,
            .query = conditional ? Query::Taken : Query::Refused,
            .takes = takes};
}

/// An operation, named by where its definition is.
Interaction asked(Shape shape, Method method, std::string_view name, std::string_view on_type,
                  std::string_view definition, Answering answers, Act event = Act::RecordRead) {
    return {.shape = shape,
            .method = method,
            .name = name,
            .on_type = on_type,
            .code = definition,
            .event = event,
            .query = Query::Taken,
            .answers = answers};
}

Interaction done(Shape shape, std::string_view name, std::string_view on_type,
                 std::string_view definition, Taking takes) {
    return {.shape = shape,
            .method = Post,
            .name = name,
            .on_type = on_type,
            .code = definition,
            .event = Act::RecordUpdated,
            .takes = takes};
}

/// The ledger, seen as AuditEvents: there to be read, and nothing else.
Interaction audits(Shape shape, Answering answers, std::string_view code = {}) {
    Interaction row = shows(shape, Act::LedgerRead, answers, code);
    row.on_type = "AuditEvent";
    return row;
}

std::vector<Interaction> make_interactions() {
    return {
        shows(Metadata, Act::RecordRead, capabilities),
        shows(OwnDefinition, Act::RecordRead, own_definition),
        shows(System, Act::RecordSearched, search, "search-system"),
        shows(SystemSearch, Act::RecordSearched, search),
        shows(SystemHistory, Act::RecordRead, read_wide_history, "history-system"),
        {.shape = Page, .event = Act::RecordSearched, .takes = turn_page},
        changes(System, Post, Act::RecordUpdated, run_bundle, "transaction"),

        shows(Type, Act::RecordSearched, search, "search-type"),
        shows(TypeSearch, Act::RecordSearched, search),
        shows(Compartment, Act::RecordSearched, search),
        shows(CompartmentSearch, Act::RecordSearched, search),
        shows(TypeHistory, Act::RecordRead, read_wide_history, "history-type"),
        shows(Instance, Act::RecordRead, read_instance, "read"),
        shows(Version, Act::RecordRead, read_version, "vread"),
        shows(InstanceHistory, Act::RecordRead, read_history, "history-instance"),
        changes(Type, Post, Act::RecordCreated, write_one, "create"),
        changes(Type, Put, Act::RecordUpdated, write_one),
        changes(Type, Patch, Act::RecordUpdated, write_one),
        changes(Type, Delete, Act::RecordDeleted, write_one),
        changes(Instance, Put, Act::RecordUpdated, write_one, "update"),
        changes(Instance, Patch, Act::RecordUpdated, write_one, "patch"),
        changes(Instance, Delete, Act::RecordDeleted, write_one, "delete"),

        asked(InstanceOperation, Get, "$everything", "Patient", "Patient-everything", everything),
        asked(InstanceOperation, Post, "$everything", "Patient", "Patient-everything", everything),
        asked(SystemOperation, Post, "$validate", {}, "Resource-validate", validate),
        asked(TypeOperation, Post, "$validate", {}, "Resource-validate", validate),
        asked(InstanceOperation, Get, "$validate", {}, "Resource-validate", validate),
        asked(InstanceOperation, Post, "$validate", {}, "Resource-validate", validate),
        asked(InstanceOperation, Get, "$meta", {}, "Resource-meta", read_meta),
        done(InstanceOperation, "$meta-add", {}, "Resource-meta-add", change_meta),
        done(InstanceOperation, "$meta-delete", {}, "Resource-meta-delete", change_meta),
        done(InstanceOperation, "$break-glass", "Patient", "break-glass", break_glass),
        asked(TypeOperation, Post, "$match", "Patient", "Patient-match", match_patients,
              Act::RecordSearched),
        done(TypeOperation, "$merge", "Patient", "Patient-merge", merge),
        done(SystemOperation, "$justify", {}, "justify", justify),
        done(SystemOperation, "$co-sign", {}, "co-sign", co_sign),

        asked(TypeOperation, Get, "$status", "Subscription", "backport-subscription-status",
              subscription_status),
        asked(TypeOperation, Post, "$status", "Subscription", "backport-subscription-status",
              subscription_status),
        asked(InstanceOperation, Get, "$status", "Subscription", "backport-subscription-status",
              subscription_status),
        asked(InstanceOperation, Get, "$events", "Subscription", "backport-subscription-events",
              subscription_events),
        asked(InstanceOperation, Post, "$events", "Subscription", "backport-subscription-events",
              subscription_events),
        asked(TypeOperation, Get, "$get-ws-binding-token", "Subscription",
              "backport-subscription-get-ws-binding-token", give_socket_token),
        asked(TypeOperation, Post, "$get-ws-binding-token", "Subscription",
              "backport-subscription-get-ws-binding-token", give_socket_token),
        asked(InstanceOperation, Get, "$get-ws-binding-token", "Subscription",
              "backport-subscription-get-ws-binding-token", give_socket_token),

        asked(TypeOperation, Get, "$expand", "ValueSet", "ValueSet-expand", expand),
        asked(TypeOperation, Post, "$expand", "ValueSet", "ValueSet-expand", expand),
        asked(InstanceOperation, Get, "$expand", "ValueSet", "ValueSet-expand", expand),
        asked(TypeOperation, Get, "$validate-code", "ValueSet", "ValueSet-validate-code",
              validate_code),
        asked(TypeOperation, Post, "$validate-code", "ValueSet", "ValueSet-validate-code",
              validate_code),
        asked(InstanceOperation, Get, "$validate-code", "ValueSet", "ValueSet-validate-code",
              validate_code),
        asked(InstanceOperation, Post, "$validate-code", "ValueSet", "ValueSet-validate-code",
              validate_code),
        asked(TypeOperation, Post, "$validate-code", "CodeSystem", "CodeSystem-validate-code",
              validate_code),
        asked(TypeOperation, Get, "$validate-code", "CodeSystem", "CodeSystem-validate-code",
              validate_code),
        asked(TypeOperation, Get, "$lookup", "CodeSystem", "CodeSystem-lookup", lookup),
        asked(TypeOperation, Post, "$lookup", "CodeSystem", "CodeSystem-lookup", lookup),

        asked(TypeOperation, Get, "$subsumes", "CodeSystem", "CodeSystem-subsumes", subsumes),
        asked(TypeOperation, Post, "$subsumes", "CodeSystem", "CodeSystem-subsumes", subsumes),
        asked(InstanceOperation, Get, "$subsumes", "CodeSystem", "CodeSystem-subsumes", subsumes),
        asked(InstanceOperation, Post, "$subsumes", "CodeSystem", "CodeSystem-subsumes", subsumes),
        asked(TypeOperation, Get, "$translate", "ConceptMap", "ConceptMap-translate", translate),
        asked(TypeOperation, Post, "$translate", "ConceptMap", "ConceptMap-translate", translate),
        asked(InstanceOperation, Get, "$translate", "ConceptMap", "ConceptMap-translate",
              translate),
        asked(InstanceOperation, Post, "$translate", "ConceptMap", "ConceptMap-translate",
              translate),

        audits(Instance, read_audit, "read"),
        audits(Type, search_audit, "search-type"),
        audits(TypeSearch, search_audit),

        asked(SystemOperation, Get, "$export", {}, "export", start_export, Act::RecordExported),
        asked(TypeOperation, Get, "$export", "Patient", "patient-export", start_export,
              Act::RecordExported),
        asked(InstanceOperation, Get, "$export", "Group", "group-export", start_export,
              Act::RecordExported),
        asked(SystemOperation, Post, "$export", {}, "export", start_export, Act::RecordExported),
        asked(TypeOperation, Post, "$export", "Patient", "patient-export", start_export,
              Act::RecordExported),
        asked(InstanceOperation, Post, "$export", "Group", "group-export", start_export,
              Act::RecordExported),
        shows(ExportStatus, Act::RecordExported, export_status),
        shows(ExportFile, Act::RecordExported, export_file),
        {.shape = ExportStatus,
         .method = Delete,
         .event = Act::RecordExported,
         .answers = end_export},
        done(SystemOperation, "$import", {}, "import", import),
    };
}

bool fits(const Interaction& row, const Target& target) {
    if (row.shape != target.shape) return false;
    if (is_from_ledger(target.type) ? row.on_type != target.type
                                    : !row.on_type.empty() && row.on_type != target.type)
        return false;
    return row.name.empty() || row.name == target.name;
}

const Interaction* find_row(Method method, const Target& target) {
    const auto rows = interactions();
    const auto row = std::ranges::find_if(
        rows, [&](const Interaction& one) { return one.method == method && fits(one, target); });
    return row == rows.end() ? nullptr : &*row;
}

/// What the target does have: "GET, HEAD, PUT"; empty when nothing.
std::string allowed_methods(const Target& target) {
    std::string allowed;
    for (const Interaction& row : interactions()) {
        if (!fits(row, target) || allowed.contains(name_of(row.method))) continue;
        if (!allowed.empty()) allowed += ", ";
        allowed += name_of(row.method);
        if (row.method == Get) allowed += ", HEAD";
    }
    return allowed;
}

Refusal no_row(const Target& target) {
    const std::string allowed = allowed_methods(target);
    if (allowed.empty())
        return {404,
                "not-supported",
                {"cette opération n'existe pas ici", "there is no such operation here"},
                {"voyez GET [base]/metadata", "see GET [base]/metadata"}};
    Refusal refusal(
        405, "not-supported",
        {"cette méthode n'existe pas à cette adresse", "this URL does not have this method"},
        {"voyez l'en-tête Allow", "see the header Allow"});
    refusal.headers.emplace_back("Allow", allowed);
    return refusal;
}

/// To read what cannot be there is to find nothing; to write there is a mistake.
Refusal bad_address() {
    return {400,
            "value",
            {"cette adresse ne peut pas être celle d'une ressource",
             "this URL cannot be that of a resource"},
            {"écrivez Type/id ; un id a 64 lettres, chiffres, tirets et points au plus",
             "write Type/id; an id has at most 64 letters, digits, hyphens and dots"}};
}

/// The parameters of a _search are in its body.
Answer<void> take_form(Call& call) {
    const Shape shape = call.target.shape;
    const bool has_form =
        shape == SystemSearch || shape == TypeSearch || shape == CompartmentSearch;
    if (!has_form || call.method != Post) return {};
    if (call.request.body.empty()) return {};
    if (TRY(body_kind(call.request)) != BodyKind::Form) return std::unexpected(unsupported_body());
    std::ranges::move(TRY(parse_query(as_text(call.request.body))),
                      std::back_inserter(call.parameters));
    // Known by now to be no longer than a query: the ledger keeps it whole.
    call.asked += '&';
    call.asked += as_text(call.request.body);
    return {};
}

Answer<void> understand(const Desk& desk, Call& call) {
    const http::Request& request = call.request;
    call.wishes.lang = language_of(request);
    call.asked = request.query.empty() ? request.path : request.path + '?' + request.query;
    call.method = TRY(method_named(request.method));
    // "/fhir" is the base as well as "/fhir/".
    if (request.path + '/' == desk.base_path) call.request.path = desk.base_path;
    std::string_view path = request.path;
    if (!path.starts_with(desk.base_path)) return std::unexpected(no_row({.shape = Page}));
    path.remove_prefix(desk.base_path.size());
    auto target = parse_target(path);
    if (!target && call.method == Put) return std::unexpected(bad_address());
    call.target = TRY(std::move(target));
    call.parameters = TRY(parse_query(request.query));
    TRY_STATUS(take_form(call));
    auto wishes = negotiate(request, call.parameters);
    if (!wishes && wants_content(call)) return {};
    if (!wishes) return std::unexpected(std::move(wishes.error()));
    call.wishes = *std::move(wishes);
    return {};
}

/// The answer bears the name that its asker gave the request
/// (https://hl7.org/fhir/R4/http.html#custom).
http::Reply echoing(std::string id, http::Reply reply) {
    return [id = std::move(id),
            reply = std::make_shared<http::Reply>(std::move(reply))](http::Response response) {
        response.headers.emplace_back("X-Request-Id", id);
        response.headers.emplace_back("X-Correlation-Id", id);
        (*reply)(std::move(response));
    };
}

}  // namespace

std::string allowed_methods(std::string_view path) {
    const auto target = parse_target(path);
    return target ? allowed_methods(*target) : std::string();
}

std::span<const Interaction> interactions() {
    static const std::vector<Interaction> rows = make_interactions();
    return rows;
}

void serve(Desk& desk, const access::Actor& actor, http::Request request, http::Reply reply) {
    auto call = std::make_unique<Call>();
    call->actor = actor;
    call->request = std::move(request);
    call->reply = std::move(reply);
    if (const auto id = call->request.header("x-request-id"); is_id(id))
        call->reply = echoing(std::string(id), std::move(call->reply));
    call->policy = desk.policy();
    call->frozen = desk.is_frozen(actor);
    call->holds = desk.holds();
    // Wherever the house says that this person belongs, at this moment.
    call->actor.belongs = desk.staff->belongings(call->policy, actor.person);
    if (auto understood = understand(desk, *call); !understood)
        return refuse(desk, std::move(call), understood.error());
    const auto purpose = purpose_of(call->request);
    if (!purpose) return refuse(desk, std::move(call), purpose.error());
    call->purpose = *purpose;
    // Programs are bound by their scopes, a purpose by its leave.
    if (actor.role != access::Role::Program && call->purpose == access::Purpose::None) {
        const WallTime now = desk.rooms.clock.now();
        call->pressure = desk.pace->now(*call->policy, actor.id, now);
        call->justified = desk.pace->is_justified(actor.id, now);
    }
    if (call->pressure == access::Pressure::Cut)
        return refuse(desk, std::move(call), beyond_habit(access::Pressure::Cut));
    dispatch(desk, std::move(call));
}

void dispatch(Desk& desk, CallPtr call) {
    const Interaction* row = find_row(call->method, call->target);
    if (!row) {
        // By itself: the compiler may move the call before it looks at another argument.
        Refusal refusal = no_row(call->target);
        return refuse(desk, std::move(call), std::move(refusal));
    }
    if (const auto may = check_purpose(*call); !may)
        return refuse(desk, std::move(call), may.error(), row->event);
    if (row->query == Query::Refused && !call->parameters.empty() && !call->wishes.lenient)
        return refuse(desk, std::move(call),
                      {400,
                       "not-supported",
                       {"cette adresse ne prend pas de paramètre", "this URL takes no parameters"},
                       {"ôtez ce qui suit le point d'interrogation",
                        "leave out what follows the question mark"}},
                      row->event);
    if (row->takes) return row->takes(desk, std::move(call));
    auto disclosure = row->answers(desk, *call);
    if (!disclosure) return refuse(desk, std::move(call), disclosure.error(), row->event);
    disclose(desk, std::move(call), *std::move(disclosure));
}

Answer<void> rehearse(Desk& desk, const Call& whole, http::Request request) {
    Call call;
    call.actor = whole.actor;
    call.policy = whole.policy;
    call.pressure = whole.pressure;
    call.justified = whole.justified;
    call.frozen = whole.frozen;
    call.holds = whole.holds;
    call.purpose = whole.purpose;
    call.request = std::move(request);
    TRY_STATUS(understand(desk, call));
    const Interaction* row = find_row(call.method, call.target);
    if (!row) return std::unexpected(no_row(call.target));
    if (row->answers) TRY(row->answers(desk, call));
    return {};
}

void turn_page(Desk& desk, CallPtr call) {
    auto page = open_page(desk.page_key, call->actor.id, call->target.name);
    if (!page) return refuse(desk, std::move(call), page.error());
    auto target = parse_target(page->path);
    auto parameters = parse_query(page->query);
    if (!target || !parameters) return refuse(desk, std::move(call), not_found());
    call->request.path = desk.base_path + page->path;
    call->asked = call->request.path + '?' + page->query;
    call->target = *std::move(target);
    call->parameters = *std::move(parameters);
    call->cursor = std::move(page->cursor);
    // What was left out of the first page is left out of each.
    call->wishes.lenient = true;
    const bool is_form = call->target.shape == SystemSearch || call->target.shape == TypeSearch ||
                         call->target.shape == CompartmentSearch;
    call->method = is_form ? Post : Get;
    dispatch(desk, std::move(call));
}

}  // namespace hygie::records
