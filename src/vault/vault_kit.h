#pragma once

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "fhir/data/json.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"
#include "vault/vault.h"

/// For tests: a vault on a simulated disk beside a ledger in memory.
namespace hygie::vault::kit {

/// A ledger that keeps what it is given, or is told to fail or to wait.
class MemoryTrace final : public Trace, public Evidence {
  public:
    enum class Mode { Keep, Fail, Wait };

    void submit(std::vector<event::Event> events, std::function<void(Status)> done) override {
        if (mode == Mode::Wait) {
            const std::lock_guard lock(mutex_);
            waiting_.emplace_back(std::move(events), std::move(done));
            return;
        }
        if (mode == Mode::Fail) return done(fail(Code::Io, {"panne", "failure"}));
        keep(events);
        done({});
    }
    Result<std::uint64_t> last_counter(const SourceId&, const NodeId&) override {
        const std::lock_guard lock(mutex_);
        return events_.empty() ? 0 : events_.rbegin()->first;
    }
    Result<std::optional<crypto::Hash>> digest_of(std::uint64_t counter) const override {
        const std::lock_guard lock(mutex_);
        const auto event = events_.find(counter);
        if (event == events_.end() || !event->second.detail.contains("digest")) return std::nullopt;
        const Bytes bytes = TRY(from_hex(event->second.detail.at("digest")));
        crypto::Hash hash{};
        std::ranges::copy(bytes, hash.begin());
        return hash;
    }

    std::size_t waiting() const {
        const std::lock_guard lock(mutex_);
        return waiting_.size();
    }
    /// Answers what waits.
    void release() {
        std::vector<Waiting> ready;
        {
            const std::lock_guard lock(mutex_);
            ready.swap(waiting_);
        }
        for (auto& [events, done] : ready) {
            keep(events);
            done({});
        }
    }
    std::map<std::uint64_t, event::Event> events() const {
        const std::lock_guard lock(mutex_);
        return events_;
    }
    void forget(std::uint64_t counter) { events_.erase(counter); }
    /// How often an event came whose counter was there already.
    int repeated = 0;
    std::atomic<Mode> mode = Mode::Keep;

  private:
    using Waiting = std::pair<std::vector<event::Event>, std::function<void(Status)>>;

    void keep(const std::vector<event::Event>& events) {
        const std::lock_guard lock(mutex_);
        for (const event::Event& event : events)
            if (!events_.emplace(event.counter, event).second) ++repeated;
    }

    mutable std::mutex mutex_;
    std::vector<Waiting> waiting_;
    std::map<std::uint64_t, event::Event> events_;
};

/// One write from JSON text; its type and id are read from it.
struct TextWrite {
    Write::Kind kind = Write::Kind::Put;
    std::string text;
    bool must_be_new = false;
    std::optional<std::uint32_t> if_match{};
};
inline TextWrite put(std::string text) {
    return {.kind = Write::Kind::Put, .text = std::move(text)};
}
inline TextWrite remove(const std::string& type, const std::string& id) {
    return {.kind = Write::Kind::Delete,
            .text = R"({"resourceType":")" + type + R"(","id":")" + id + R"("})"};
}

using Outcome = Result<std::vector<Version>>;

inline event::Event event_of(event::Type type = event::Type::RecordUpdated) {
    event::Event event;
    event.type = type;
    event.actor.id = ActorId("10003456789");
    return event;
}

inline void commit_later(Vault& vault, const std::vector<TextWrite>& texts, Done done,
                         const std::string& author = "Practitioner/dr-anne") {
    std::vector<fhir::Document> documents;
    Transaction transaction{.writes = {}, .author = author, .event = event_of()};
    for (const TextWrite& text : texts) {
        documents.push_back(fhir::parse(text.text).value());
        const fhir::Json root = documents.back().root;
        transaction.writes.push_back({.kind = text.kind,
                                      .type = std::string(root["resourceType"].text()),
                                      .id = std::string(root["id"].text()),
                                      .resource = root,
                                      .must_be_new = text.must_be_new,
                                      .if_match = text.if_match});
    }
    vault.commit(std::move(transaction), std::move(done));
}

inline Outcome commit(Vault& vault, const std::vector<TextWrite>& texts,
                      const std::string& author = "Practitioner/dr-anne") {
    std::promise<Outcome> promise;
    auto future = promise.get_future();
    commit_later(
        vault, texts, [&](Outcome outcome) { promise.set_value(std::move(outcome)); }, author);
    return future.get();
}

inline std::string patient(const std::string& id, const std::string& family = "Durand") {
    return R"({"resourceType":"Patient","id":")" + id +
           R"(","identifier":[{"system":"urn:oid:1.2.250.1.71.4.2.7","value":"2790299)" + id +
           R"("}],"name":[{"family":")" + family +
           R"(","given":["Camille"]}],"gender":"female","birthDate":"1979-02-14"})";
}
inline std::string observation(const std::string& id, const std::string& patient_id,
                               const std::string& value = "5.40") {
    return R"({"resourceType":"Observation","id":")" + id +
           R"(","status":"final","effectiveDateTime":"2026-03-02",)"
           R"("code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},)"
           R"("subject":{"reference":"Patient/)" +
           patient_id + R"("},"valueQuantity":{"value":)" + value + R"(,"unit":"%"}})";
}
inline std::string encounter(const std::string& id, const std::string& patient_id,
                             const std::string& practitioner) {
    return R"({"resourceType":"Encounter","id":")" + id +
           R"(","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/)" +
           patient_id + R"("},"participant":[{"individual":{"reference":")" + practitioner +
           R"("}}],"period":{"start":"2026-03-01T10:00:00Z","end":"2026-03-01T10:30:00Z"}})";
}
inline std::string practitioner(const std::string& id, const std::string& family = "Lemoine") {
    return R"({"resourceType":"Practitioner","id":")" + id + R"(","name":[{"family":")" + family +
           R"("}]})";
}

/// What one machine has; the vault on it can be opened again and again.
struct Machine {
    sim::SimDisk disk;
    sim::SimClock clock;
    sim::SimRandom random{11};
    MemoryTrace trace;
    crypto::Secret32 root{std::array<std::uint8_t, 32>{1, 2, 3}};
    std::size_t cache_bytes = 8 << 20;

    Result<std::unique_ptr<Vault>> try_open() {
        return Vault::open({disk, clock, random, trace},
                           {.dir = "vault", .node = NodeId("box"), .cache_bytes = cache_bytes},
                           root);
    }
    std::unique_ptr<Vault> open() {
        auto opened = try_open();
        EXPECT_TRUE(opened) << (opened ? "" : opened.error().what.en);
        return opened ? std::move(*opened) : nullptr;
    }
};

inline std::string body_of(Vault& vault, const std::string& type, const std::string& id) {
    const auto found = vault.find(type, id);
    if (!found) return "absent";
    const auto version = vault.read(*found);
    if (!version) return "unreadable: " + version.error().what.en;
    return version->deleted ? "deleted" : version->body;
}

}  // namespace hygie::vault::kit
