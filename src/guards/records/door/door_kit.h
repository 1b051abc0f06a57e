#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "fhir/data/json.h"
#include "guards/records/door/door.h"
#include "vault/vault_kit.h"

/// For tests: the door over a vault on a simulated disk, beside a ledger in memory.
namespace hygie::records::kit {

using vault::kit::MemoryTrace;

inline access::Actor doctor(const std::string& name) {
    return {.id = ActorId(name),
            .role = access::Role::Care,
            .profession = "10",
            .person = "Practitioner/" + name,
            .organisation = {},
            .auth = "otp",
            .session = {},
            .scopes = {}};
}
inline access::Actor with_role(const std::string& name, access::Role role,
                               const std::string& person = {}) {
    access::Actor actor = doctor(name);
    actor.role = role;
    actor.profession = {};
    actor.person = person;
    if (role == access::Role::Program) actor.scopes = {"system/*.cruds"};
    return actor;
}

/// The ledger of the machine, which also keeps what the door submits: those entries have no
/// counter.
class DoorTrace final : public vault::Trace {
  public:
    explicit DoorTrace(MemoryTrace& commits) : commits_(commits) {}

    void submit(std::vector<event::Event> events, std::function<void(Status)> done) override {
        const bool counted = !events.empty() && events.front().counter > 0;
        if (commits_.mode == MemoryTrace::Mode::Keep && !counted) {
            {
                const std::lock_guard lock(mutex_);
                events_.insert(events_.end(), events.begin(), events.end());
            }
            return done({});
        }
        if (counted) {
            const std::lock_guard lock(mutex_);
            events_.insert(events_.end(), events.begin(), events.end());
        }
        commits_.submit(std::move(events), std::move(done));
    }
    Result<std::uint64_t> last_counter(const SourceId& source, const NodeId& node) override {
        return commits_.last_counter(source, node);
    }
    /// All that was kept, in order; then nothing.
    std::vector<event::Event> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(events_, {});
    }

  private:
    MemoryTrace& commits_;
    std::mutex mutex_;
    std::vector<event::Event> events_;
};

struct Answered {
    int status = 0;
    std::string body{};
    http::Headers headers{};
    fhir::Document document{};

    fhir::Json json() const { return document.root; }
    std::string header(std::string_view name) const {
        for (const auto& [key, value] : headers) {
            if (key == name) return value;
        }
        return {};
    }
    std::string id() const { return std::string(json()["id"].text()); }
    std::string_view version() const { return json()["meta"]["versionId"].text(); }
    /// "Type/id" of each entry of a bundle.
    std::vector<std::string> references() const {
        std::vector<std::string> all;
        for (const fhir::Json entry : json()["entry"].items()) {
            const fhir::Json resource = entry["resource"];
            all.push_back(std::string(resource["resourceType"].text()) + '/' +
                          std::string(resource["id"].text()));
        }
        return all;
    }
    /// URL of a link of a bundle, from the base on.
    std::string link(std::string_view relation) const {
        for (const fhir::Json link : json()["link"].items()) {
            if (link["relation"].text() != relation) continue;
            const std::string_view url = link["url"].text();
            return std::string(url.substr(url.find("/fhir")));
        }
        return {};
    }
};

struct Sent {
    std::string method = "GET";
    std::string url{};  ///< below "/fhir/", with its query; or from "/fhir" on
    std::string body{};
    http::Headers headers{};
};

/// Where notifications go: keeps what is sent, and answers as it is told.
class Outside final : public Post {
  public:
    Result<int> post(const PostRequest& request) override {
        if (on_arrival) on_arrival(request);
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
        arrived_.notify_all();
        if (status == 0) return fail(Code::Unavailable, {"muet", "mute"}, {"", ""});
        return int{status};
    }
    /// The first `count` requests, once they have come; fewer when they do not.
    std::vector<PostRequest> wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        arrived_.wait_for(lock, std::chrono::seconds(20),
                          [&] { return requests_.size() >= count; });
        return requests_;
    }
    std::function<void(const PostRequest&)> on_arrival{};  ///< before it is kept
    std::atomic<int> status = 200;                         ///< 0: no answer at all

  private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<PostRequest> requests_;
};

/// A practice: Anne treats patients a and b, Bob treats c; nobody treats d.
class House {
  public:
    explicit House(bool populate = true, Completeness completeness = Completeness::Lenient,
                   const fhir::Profiles* profiles = &fhir::DefinitionSet::r4().profiles())
        : completeness_(completeness), profiles_(profiles) {
        vault_ = machine.vault_with(trace);
        restart();
        if (populate) fill();
        trace.take();
    }

    /// The door anew, over the same vault.
    void restart() {
        door_.reset();
        door_ = std::make_unique<Door>(
            Rooms{.vault = *vault_,
                  .trace = trace,
                  .clock = machine.clock,
                  .random = machine.random,
                  .disk = machine.disk,
                  .post = &outside},
            Options{.base = "https://hygie.test/fhir/",
                    .node = NodeId("box"),
                    .export_dir = "exports",
                    .key = crypto::Secret32(std::array<std::uint8_t, 32>{9}),
                    .completeness = completeness_,
                    .profiles = profiles_,
                    .policy = [this] { return policy; },
                    .frozen = [this](const ActorId& login) { return frozen == login; },
                    .holds = [this] { return holds; },
                    .cut = [this](const access::Actor& actor) { cut.push_back(actor.id); },
                    .notice_dir = "notices",
                    .notify = {"https://dossier.example/in"},
                    .actor_of = [this](const ActorId& login,
                                       const auto&) { return actor_named(login); },
                    .notice_pause = Micros(0),
                    .notice_attempts = 3});
    }
    std::optional<access::Actor> actor_named(const ActorId& login) const {
        for (const access::Actor& one : {anne, bob, program})
            if (one.id == login && !(anne_left && login == anne.id)) return one;
        return std::nullopt;
    }

    /// Waits for the answer.
    Answered ask(const access::Actor& actor, const Sent& sent) {
        std::promise<http::Response> promise;
        auto answer = promise.get_future();
        door_->handle(actor, request_of(sent),
                      [&](http::Response response) { promise.set_value(std::move(response)); });
        return answered(answer.get());
    }
    /// Does not.
    std::shared_ptr<std::future<http::Response>> ask_later(const access::Actor& actor,
                                                           const Sent& sent) {
        auto promise = std::make_shared<std::promise<http::Response>>();
        auto future = std::make_shared<std::future<http::Response>>(promise->get_future());
        door_->handle(actor, request_of(sent), [promise](http::Response response) {
            promise->set_value(std::move(response));
        });
        return future;
    }
    Answered get(const access::Actor& actor, const std::string& url) {
        return ask(actor, {.url = url});
    }
    Answered post(const access::Actor& actor, const std::string& url, const std::string& body,
                  http::Headers headers = {}) {
        return ask(actor,
                   {.method = "POST", .url = url, .body = body, .headers = std::move(headers)});
    }
    /// With the current version as If-Match.
    Answered put(const access::Actor& actor, const std::string& url, const std::string& body,
                 const std::string& if_match = {}) {
        http::Headers headers;
        if (!if_match.empty()) headers.emplace_back("if-match", if_match);
        return ask(actor,
                   {.method = "PUT", .url = url, .body = body, .headers = std::move(headers)});
    }

    static Answered answered(http::Response response) {
        Answered answered{.status = response.status,
                          .body = std::string(as_text(response.body)),
                          .headers = std::move(response.headers)};
        if (auto document = fhir::parse(answered.body)) answered.document = *std::move(document);
        return answered;
    }

    struct Machine : vault::kit::Machine {
        std::unique_ptr<vault::Vault> vault_with(vault::Trace& to) {
            auto opened = vault::Vault::open({disk, clock, random, to},
                                             {.dir = "vault", .node = NodeId("box")}, root);
            EXPECT_TRUE(opened) << (opened ? "" : opened.error().what.en);
            return *std::move(opened);
        }
    } machine;
    DoorTrace trace{machine.trace};
    const access::Actor anne = doctor("dr-anne");
    const access::Actor bob = doctor("dr-bob");
    const access::Actor program = with_role("logiciel", access::Role::Program);

    vault::Vault& vault() { return *vault_; }
    Door& door() { return *door_; }

    /// In force from the next request on.
    std::shared_ptr<const access::Policy> policy =
        std::make_shared<access::Policy>(access::default_policy());
    std::vector<ActorId> cut;             ///< whose sessions were ended
    ActorId frozen;                       ///< whose account an incident holds
    Options::Holds holds;                 ///< units that incidents hold
    std::atomic<bool> anne_left = false;  ///< her account was closed
    Outside outside;

  private:
    static http::Request request_of(const Sent& sent) {
        http::Request request;
        const auto question = std::min(sent.url.find('?'), sent.url.size());
        request.method = sent.method;
        request.path = sent.url.starts_with("/fhir") ? sent.url.substr(0, question)
                                                     : "/fhir/" + sent.url.substr(0, question);
        if (question < sent.url.size()) request.query = sent.url.substr(question + 1);
        request.headers = sent.headers;
        if (!sent.body.empty() && request.header("content-type").empty())
            request.headers.emplace_back("content-type", "application/fhir+json");
        request.body = to_bytes(as_bytes(sent.body));
        request.peer = "192.0.2.7";
        return request;
    }

    void fill() {
        using namespace vault::kit;
        const auto team = [](const std::string& patient_id, const std::string& who) {
            return vault::kit::put(
                R"({"resourceType":"CareTeam","id":"team-)" + patient_id +
                R"(","status":"active","subject":{"reference":"Patient/)" + patient_id +
                R"("},"participant":[{"member":{"reference":"Practitioner/)" + who + R"("}}]})");
        };
        const auto done = commit(
            *vault_,
            {vault::kit::put(practitioner("dr-anne")), vault::kit::put(practitioner("dr-bob")),
             vault::kit::put(patient("a", "Martin")), vault::kit::put(patient("b", "Bernard")),
             vault::kit::put(patient("c", "Petit")), vault::kit::put(patient("d", "Durand")),
             team("a", "dr-anne"), team("b", "dr-anne"), team("c", "dr-bob"),
             vault::kit::put(observation("oa1", "a", "5.40")),
             vault::kit::put(observation("oa2", "a", "6.10")),
             vault::kit::put(observation("ob1", "b")), vault::kit::put(observation("oc1", "c")),
             vault::kit::put(observation("od1", "d"))},
            "");
        EXPECT_TRUE(done) << (done ? "" : done.error().what.en);
    }

    const Completeness completeness_;
    const fhir::Profiles* profiles_;
    std::unique_ptr<vault::Vault> vault_;
    std::unique_ptr<Door> door_;
};

/// What `$break-glass` and `$justify` ask for.
inline constexpr std::string_view kMotive =
    R"({"resourceType":"Parameters","parameter":[{"name":"motive","valueCode":"emergency"},)"
    R"({"name":"reason","valueString":"Patient inconscient aux urgences"}]})";

/// Puts all of them at once, untraced.
inline void store(House& house, const std::vector<std::string>& resources) {
    std::vector<vault::kit::TextWrite> writes;
    for (const std::string& one : resources) writes.push_back(vault::kit::put(one));
    const auto done = vault::kit::commit(house.vault(), writes, "");
    ASSERT_TRUE(done) << done.error().what.en;
    house.trace.take();
}

}  // namespace hygie::records::kit
