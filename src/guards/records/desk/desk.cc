#include "guards/records/desk/desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/only.h"
#include "crypto/aead.h"
#include "crypto/tokens.h"
#include "event/uuid.h"
#include "guards/records/desk/backstage.h"
#include "guards/records/desk/exports.h"
#include "guards/records/desk/gate.h"
#include "guards/records/desk/pace.h"
#include "guards/records/desk/purpose.h"
#include "guards/records/desk/slowly.h"
#include "guards/records/desk/staff_room.h"
#include "guards/records/desk/stored_definitions.h"
#include "vault/unassigned.h"

namespace hygie::records {

namespace {

/// Codes of http://terminology.hl7.org/CodeSystem/v3-ActReason.
std::string_view purpose_of(access::Role role) {
    switch (role) {
        case access::Role::Care:
        case access::Role::Program:
            return "TREAT";
        case access::Role::Desk:
            return "HOPERAT";
        case access::Role::Patient:
            return "PATRQT";
        case access::Role::Security:
        case access::Role::Operations:
            return "HSYSADMIN";
    }
    return {};
}

std::string request_id_of(const http::Request& request) {
    const std::string_view id = request.header("x-request-id");
    return is_id(id) ? std::string(id) : std::string();
}

constexpr std::string_view kCutReason = "circle.cut";

std::string_view name_of(access::Pressure pressure) {
    switch (pressure) {
        case access::Pressure::Calm:
            return "calm";
        case access::Pressure::Slow:
            return "slow";
        case access::Pressure::Justify:
            return "justify";
        case access::Pressure::Cut:
            return "cut";
    }
    return {};
}

http::Reply slowed(Desk& desk, http::Reply reply) {
    return
        [&desk, later = std::make_shared<http::Reply>(std::move(reply))](http::Response response) {
            desk.slowly->add([later, held = std::make_shared<http::Response>(std::move(response))] {
                (*later)(std::move(*held));
            });
        };
}

/// Chance drawn ahead, handed out in parts, no part twice: the kernel is asked rarely. Thread-safe.
class Drawn final : public Random {
  public:
    explicit Drawn(Random& random) : random_(random) {}
    void fill(std::span<std::uint8_t> out) override {
        const std::lock_guard lock(mutex_);
        if (out.size() > bytes_.size() - at_) {
            HYGIE_CHECK(out.size() <= bytes_.size(), "more chance is asked for than is drawn");
            random_.fill(bytes_);
            at_ = 0;
        }
        std::ranges::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_),
                            static_cast<std::ptrdiff_t>(out.size()), out.begin());
        at_ += out.size();
    }

  private:
    Random& random_;
    std::mutex mutex_;
    std::array<std::uint8_t, 64 * event::kUuidBytes> bytes_{};
    std::size_t at_ = sizeof bytes_;
};

std::string path_of(std::string_view base) {
    const auto scheme = base.find("://");
    const auto slash = base.find('/', scheme == base.npos ? 0 : scheme + 3);
    return slash == base.npos ? "/" : std::string(base.substr(slash));
}

}  // namespace

Desk::Desk(const Rooms& the_rooms, Options the_options)
    : rooms(the_rooms),
      options(std::move(the_options)),
      base_path(path_of(options.base)),
      page_key(crypto::derive(options.key, "records/page")),
      chance(std::make_unique<Drawn>(rooms.random)),
      gate(std::make_unique<Gate>()),
      pace(std::make_unique<Pace>()),
      staff(std::make_unique<StaffRoom>(rooms.vault)),
      definitions(std::make_unique<StoredDefinitions>(rooms.vault, options)),
      subscription_owners(!options.notice_dir.empty()),
      exports(std::make_unique<Exports>(*this)),
      backstage(std::make_unique<Backstage>(options.idle_threads)),
      slowly(std::make_unique<Slowly>(rooms.clock)) {}

Desk::~Desk() = default;

std::shared_ptr<const access::Policy> Desk::policy() const {
    if (options.policy) return options.policy();
    static const auto own =
        std::shared_ptr<const access::Policy>(&access::default_policy(), [](const auto*) {});
    return own;
}

event::Event event_of(const Desk& desk, const Call& call, event::Type type,
                      std::string_view patient, std::string_view object) {
    event::Event e;
    e.time = desk.rooms.clock.now();
    e.id = event::print_uuid(event::make_uuid(e.time, *desk.chance));
    e.type = type;
    e.action = event::usual_action(type);
    e.source = desk.options.source;
    e.node = desk.options.node;
    e.actor.id = call.actor.id;
    e.actor.role = call.actor.profession.empty() ? std::string(access::name_of(call.actor.role))
                                                 : call.actor.profession;
    e.actor.auth = call.actor.auth;
    e.actor.organisation = call.actor.organisation;
    if (patient == vault::kUnassigned) patient = {};
    e.subject = {PatientId(std::string(patient)), ObjectId(std::string(object))};
    e.purpose = purpose_of(call.actor.role);
    if (call.purpose != access::Purpose::None) {
        e.purpose = code_of(call.purpose);
        e.detail["purpose"] = access::name_of(call.purpose);
    }
    e.network.address = call.request.peer;
    e.request_id = request_id_of(call.request);
    return e;
}

std::vector<event::Event> events_of(const Desk& desk, const Call& call, event::Type type,
                                    std::span<const std::string_view> patients) {
    std::vector<event::Event> events(patients.size(), event_of(desk, call, type, {}, {}));
    for (std::size_t i = 0; i < events.size(); ++i) {
        events[i].id = event::print_uuid(event::make_uuid(events[i].time, *desk.chance));
        if (patients[i] == vault::kUnassigned) continue;
        events[i].subject.patient = PatientId(std::string(patients[i]));
    }
    return events;
}

std::optional<Refusal> held(Desk& desk, const Call& call, std::vector<event::Event>& events,
                            access::Pressure& pressure) {
    if (call.actor.role == access::Role::Program || call.purpose != access::Purpose::None ||
        std::ranges::none_of(events, opens_record))
        return std::nullopt;
    pressure = desk.pace->note(*call.policy, call.actor.id, events, desk.rooms.clock.now());
    if (pressure == access::Pressure::Calm) return std::nullopt;
    for (event::Event& e : events) e.detail["pressure"] = name_of(pressure);
    const bool asks = pressure == access::Pressure::Justify && !call.justified;
    if (!asks && pressure != access::Pressure::Cut) return std::nullopt;
    return beyond_habit(pressure);
}

void disclose(Desk& desk, CallPtr call, Disclosure disclosure) {
    // What tells nothing about anybody leaves no entry.
    if (disclosure.events.empty()) return call->reply(std::move(disclosure.response));
    if (const auto refusal = held(desk, *call, disclosure.events, call->pressure))
        return refuse(desk, std::move(call), *refusal);
    auto reply = std::make_shared<http::Reply>(std::move(call->reply));
    if (call->pressure >= access::Pressure::Slow) *reply = slowed(desk, std::move(*reply));
    const Lang lang = call->wishes.lang;
    desk.rooms.trace.submit(
        std::move(disclosure.events),
        [reply, lang,
         held = std::make_shared<http::Response>(std::move(disclosure.response))](Status kept) {
            if (kept) return (*reply)(std::move(*held));
            const Issues issues{{Severity::Error,
                                 "transient",
                                 {"la trace n'a pas pu être écrite : rien n'est montré",
                                  "the trace could not be written: nothing is shown"},
                                 {"prévenez l'administrateur, puis recommencez",
                                  "tell the administrator, then try again"}}};
            (*reply)({.status = 503,
                      .content_type = std::string(kFhirJson),
                      .body = to_bytes(as_bytes(outcome_json(issues, lang)))});
        });
}

void refuse(Desk& desk, CallPtr call, const Refusal& refusal, event::Type type) {
    const bool closed = !refusal.reasons.empty();
    if (closed && refusal.reasons.front().id == kCutReason && desk.options.cut)
        desk.options.cut(call->actor);
    event::Event e = event_of(
        desk, *call, closed ? event::Type::AccessRefused : type, refusal.patient,
        call->target.id.empty() ? std::string() : reference_to(call->target.type, call->target.id));
    e.outcome =
        refusal.status >= 500 ? event::Outcome::SeriousFailure : event::Outcome::MinorFailure;
    e.query = call->asked;
    e.detail["status"] = fmt::format("{}", refusal.status);
    if (closed) e.verdict = event::Verdict{.reasons = refusal.reasons};
    http::Response response =
        json_response(*call, refusal.status, outcome_json(refusal.issues, call->wishes.lang));
    response.headers = refusal.headers;
    disclose(desk, std::move(call), {std::move(response), only(std::move(e))});
}

http::Response json_response(const Call& call, int status, std::string json) {
    if (call.wishes.pretty) json = prettied(json);
    return {
        .status = status, .content_type = std::string(kFhirJson), .body = to_bytes(as_bytes(json))};
}

void add_version_headers(http::Response& response, const vault::Version& version) {
    response.headers.emplace_back("ETag", etag_of(version.version));
    response.headers.emplace_back("Last-Modified", http_date(version.updated));
}

std::string reference_to(std::string_view type, std::string_view id) {
    std::string reference(type);
    reference += '/';
    reference += id;
    return reference;
}

std::string path_below_base(const Desk& desk, const Call& call) {
    const std::string& path = call.request.path;
    return path.substr(std::min(desk.base_path.size(), path.size()));
}

std::string self_link(const Desk& desk, const Call& call) {
    const std::string query = print_query(call.parameters);
    return desk.options.base + path_below_base(desk, call) + (query.empty() ? "" : "?") + query;
}

std::string page_link(const Desk& desk, const Call& call, const Cursor& next) {
    return page_link(desk, call, call.parameters, next);
}

std::string page_link(const Desk& desk, const Call& call, const Parameters& parameters,
                      const Cursor& next) {
    PageOf page{
        .path = path_below_base(desk, call), .query = print_query(parameters), .cursor = next};
    return desk.options.base + "_page/" +
           seal_page(desk.page_key, desk.rooms.random, call.actor.id, page);
}

}  // namespace hygie::records
