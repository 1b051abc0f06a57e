#include "ledger/log/sealer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/limits.h"
#include "ledger/log/test_log.h"

namespace hygie::ledger {
namespace {

const WallTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24);

/// A sealer without a log behind it.
struct Scene {
    static constexpr std::uint32_t kRun = 7;

    static Draft draft(const event::Event& event) { return *draft_of(event); }
    /// Seals what must be accepted.
    Batch seal(const std::vector<Draft>& drafts) {
        auto batch = sealer.seal(drafts, kNow);
        EXPECT_TRUE(batch) << batch.error().what.en;
        return batch ? std::move(*batch) : Batch{};
    }
    /// The sealed entry of one event.
    Bytes one(const event::Event& event) {
        const Batch batch = seal({draft(event)});
        return to_bytes(batch.entry(batch.size() - 1));
    }

    sim::SimDisk disk;
    sim::SimRandom random{1};
    std::unique_ptr<Keys> keys = *Keys::open(disk, random, "keys", crypto::Secret32());
    Sealer sealer{*keys, random, Sources(), kRun, 0};
};

Header header(ByteView entry) {
    return parse_entry(entry)->header;
}

/// Which readable fields of two entries are alike.
std::vector<std::string> alike(const Header& a, const Header& b) {
    std::vector<std::string> names;
    const auto compare = [&](const char* name, bool same) {
        if (same) names.emplace_back(name);
    };
    compare("type", a.type == b.type);
    compare("time", a.time == b.time);
    compare("sequence", a.sequence == b.sequence);
    compare("node", a.node == b.node);
    compare("source", a.source == b.source);
    compare("counter", a.counter == b.counter);
    compare("retention", a.retention == b.retention);
    compare("actor", a.actor == b.actor);
    compare("key_ref", a.key_ref == b.key_ref);
    return names;
}

TEST(Sealer, ARefusedBatchLeavesNoHole) {
    Scene scene;
    event::Event event = TestLog::event("nurse-1", "patient-1");
    event.counter = 1;
    scene.seal({Scene::draft(event)});
    const std::uint64_t next = scene.sealer.next();
    const std::vector<Source> sources = scene.sealer.sources().all();

    // The second draft is sealed before the third turns out to need an entry that cannot be dated.
    event::Event stranger = event;
    stranger.node = NodeId("node-2");
    event.counter = 2;
    const std::vector<Draft> drafts{Scene::draft(event), Scene::draft(stranger)};
    const WallTime before_1970(std::chrono::seconds(-1));
    const auto refused = scene.sealer.seal(drafts, before_1970);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::BadInput);
    EXPECT_EQ(scene.sealer.next(), next);
    ASSERT_EQ(scene.sealer.sources().all(), sources);

    const Batch batch = scene.seal(drafts);
    EXPECT_EQ(batch.first, next);
    EXPECT_EQ(batch.sequences, (std::vector<std::optional<std::uint64_t>>{next, next + 2}));
    EXPECT_EQ(header(batch.entry(0)).counter, 2u);
    EXPECT_EQ(header(batch.entry(1)).counter, 2u) << "the ledger's second entry about itself";
}

TEST(Sealer, BatchesJoinedAreOneThatWasSealedAtOnce) {
    const auto drafts = [](const char* node, std::initializer_list<std::uint64_t> counters) {
        std::vector<Draft> made;
        for (const std::uint64_t counter : counters) {
            event::Event event = TestLog::event("nurse-1", "patient-1");
            event.node = NodeId(node);
            event.counter = counter;
            made.push_back(Scene::draft(event));
        }
        return made;
    };
    // The second batch registers a source of its own, drops what was seen, and declares a gap.
    const std::vector<Draft> first = drafts("node-1", {1, 2});
    std::vector<Draft> second = drafts("node-1", {2, 5});
    std::ranges::copy(drafts("node-2", {1}), std::back_inserter(second));
    std::vector<Draft> all = first;
    std::ranges::copy(second, std::back_inserter(all));
    Scene apart;
    Scene together;
    Batch joined = apart.seal(first);
    joined.join(apart.seal(second));
    const Batch whole = together.seal(all);
    EXPECT_EQ(joined.sequences, whole.sequences);
    EXPECT_EQ(joined.ends, whole.ends);
    EXPECT_EQ(joined.open, whole.open);
    EXPECT_EQ(joined.sources.all(), whole.sources.all());
    ASSERT_EQ(joined.size(), whole.size());
    ASSERT_EQ(joined.rows.size(), whole.rows.size());
    for (std::size_t i = 0; i < whole.size(); ++i) {
        EXPECT_EQ(to_bytes(joined.entry(i)), to_bytes(whole.entry(i))) << i;
        EXPECT_EQ(joined.rows[i].sequence, whole.rows[i].sequence);
    }
}

TEST(Sealer, AnEventTooLongRefusesItsWholeBatch) {
    Scene scene;
    Draft good = Scene::draft(TestLog::event("nurse-1", "patient-1"));
    Draft long_one = good;
    long_one.body.resize(limits::kEventBytesMax + 1);
    EXPECT_EQ(scene.sealer.seal(std::vector{good, long_one}, kNow).error().code, Code::BadInput);
    EXPECT_EQ(scene.sealer.next(), 0u);
    EXPECT_EQ(scene.seal({good}).size(), 2u) << "with the registration";
}

TEST(Sealer, EntriesAboutOnePatientLookLikeEntriesAboutTwo) {
    Scene scene;
    event::Event later = TestLog::event("nurse-2", "patient-1");
    later.time += std::chrono::hours(5);
    later.node = NodeId("node-2");
    const Bytes a = scene.one(TestLog::event("nurse-1", "patient-1"));
    scene.one(TestLog::event("nurse-1", "patient-3"));  // so that counters differ
    const Bytes b = scene.one(later);
    later.subject.patient = PatientId("patient-2");
    later.actor.id = ActorId("nurse-3");
    const Bytes other = scene.one(later);
    EXPECT_EQ(alike(header(a), header(b)),
              (std::vector<std::string>{"type", "counter", "retention"}));
    EXPECT_EQ(alike(header(a), header(other)), (std::vector<std::string>{"type", "retention"}));
    // Nor do the sealed bodies, even of one and the same event.
    const Bytes again = scene.one(TestLog::event("nurse-1", "patient-1"));
    const ByteView body = parse_entry(a)->payload;
    const ByteView body_again = parse_entry(again)->payload;
    ASSERT_GT(body.size(), crypto::kTagBytes);
    for (std::size_t i = 0; i + 4 <= body.size(); ++i)
        EXPECT_TRUE(std::ranges::search(body_again, body.subspan(i, 4)).empty()) << i;
}

TEST(Sealer, MasksNeverRepeatAndHideOneSlot) {
    Scene scene;
    const event::Event event = TestLog::event("nurse-1", "patient-1");
    const Batch batch = scene.seal(std::vector(300, Scene::draft(event)));
    std::set<std::array<std::uint8_t, 8>> seen;
    for (std::size_t i = 1; i < batch.size(); ++i) {
        EXPECT_TRUE(seen.insert(header(batch.entry(i)).key_ref).second) << i;
        EXPECT_TRUE(scene.keys->unseal(*parse_entry(batch.entry(i)), scene.sealer.sources())) << i;
    }
    // Another run hides the same slot at the same sequence otherwise.
    Sealer other(*scene.keys, scene.random, Sources(), Scene::kRun + 1, 0);
    const auto twin = other.seal(std::vector{Scene::draft(event)}, kNow);
    ASSERT_TRUE(twin);
    EXPECT_NE(header(twin->entry(1)).key_ref, header(batch.entry(1)).key_ref);
}

TEST(Sealer, EverySourceCountsByItself) {
    Scene scene;
    event::Event here = TestLog::event("nurse-1", "patient-1");
    event::Event there = here;
    there.node = NodeId("node-2");
    event::Event mail = there;
    mail.source = SourceId("mail");
    const Batch batch = scene.seal({Scene::draft(here), Scene::draft(there), Scene::draft(here),
                                    Scene::draft(mail), Scene::draft(here)});
    std::vector<std::array<std::uint64_t, 3>> counted;  // node, source, counter
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const Header found = header(batch.entry(i));
        EXPECT_EQ(found.sequence, batch.first + i);
        counted.push_back({found.node, found.source, found.counter});
    }
    // Each new source is registered by the ledger, source 0, right before its first entry.
    EXPECT_EQ(counted, (std::vector<std::array<std::uint64_t, 3>>{{0, 0, 1},
                                                                  {1, 1, 1},
                                                                  {0, 0, 2},
                                                                  {2, 2, 1},
                                                                  {1, 1, 2},
                                                                  {0, 0, 3},
                                                                  {2, 3, 1},
                                                                  {1, 1, 3}}));
}

TEST(Sealer, ItsOwnEntriesAreOpenAndNameNobody) {
    Scene scene;
    event::Event event = TestLog::event("nurse-1", "patient-1");
    event.counter = 4;
    const Batch batch = scene.seal({Scene::draft(event)});
    ASSERT_EQ(batch.size(), 3u);
    EXPECT_EQ(batch.open, (std::vector<std::size_t>{0, 1}));
    const event::Type types[] = {event::Type::SourceRegistered, event::Type::SourceGap, event.type};
    for (std::size_t i = 0; i < 3; ++i) {
        const auto view = parse_entry(batch.entry(i));
        ASSERT_TRUE(view);
        EXPECT_EQ(view->header.type, types[i]);
        EXPECT_EQ(view->is_sealed, i == 2);
        EXPECT_EQ(view->header.actor == crypto::Token{}, i < 2);
        for (const char* name : {"records", "node-1", "nurse-1", "patient-1"})
            EXPECT_EQ(as_text(batch.entry(i)).find(name), std::string_view::npos) << name;
    }
    const auto registered =
        scene.keys->unseal(*parse_entry(batch.entry(0)), scene.sealer.sources());
    ASSERT_TRUE(registered);
    const auto source = registered_source(*registered, *scene.keys);
    ASSERT_TRUE(source);
    EXPECT_EQ(source->name, event.source);
    EXPECT_EQ(source->node, event.node);
}

TEST(Sealer, CountersThatWillNeverComeAreDeclaredOnce) {
    Scene scene;
    event::Event event = TestLog::event("nurse-1", "patient-1");
    event.counter = 1;
    Draft lost = Scene::draft(event);
    lost.gap_until = 5;
    const Batch first = scene.seal({Scene::draft(event), lost, lost});
    EXPECT_EQ(first.sequences, (std::vector<std::optional<std::uint64_t>>{1, 2, std::nullopt}));
    event.counter = 6;
    EXPECT_EQ(scene.seal({Scene::draft(event)}).size(), 1u);
}

}  // namespace
}  // namespace hygie::ledger
