#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "ledger/log/log.h"
#include "ledger/tree/log_reader.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

/// A ledger on a simulated machine, for tests of this room.
namespace hygie::ledger {

struct TestLog {
    static constexpr char kDir[] = "log";
    static constexpr char kOrigin[] = "test.example/ledger";

    explicit TestLog(std::uint64_t seed = 1) : random(seed) {
        EXPECT_TRUE(Log::init(doors(), kDir, kOrigin, root));
        open();
    }

    Doors doors() { return {disk, clock, random}; }

    void open() {
        log.reset();
        auto opened = Log::open(doors(), kDir, root);
        ASSERT_TRUE(opened) << opened.error().what.en;
        log = std::move(*opened);
    }

    static event::Event event(std::string actor, std::string patient, std::string object = "") {
        event::Event event;
        event.id = "0192f0c1-2345-7abc-8def-0123456789ab";
        event.type = event::Type::RecordRead;
        event.action = event::Action::Read;
        event.time = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 24));
        event.source = SourceId("records");
        event.node = NodeId("node-1");
        event.actor.id = ActorId(std::move(actor));
        event.subject.patient = PatientId(std::move(patient));
        event.subject.object = ObjectId(std::move(object));
        return event;
    }

    /// Appends and returns the sequences; fails the test when it cannot.
    std::vector<std::optional<std::uint64_t>> append(const std::vector<event::Event>& events) {
        std::vector<Draft> drafts;
        for (const auto& one : events) drafts.push_back(*draft_of(one));
        auto sequences = log->append(drafts);
        EXPECT_TRUE(sequences) << sequences.error().what.en;
        return sequences ? *sequences : std::vector<std::optional<std::uint64_t>>();
    }

    /// Shows a checkpoint of the present size.
    void publish(const Cosigner& cosign = {}) {
        auto snapshot = log->snapshot();
        ASSERT_TRUE(snapshot);
        ASSERT_TRUE(log->publish(*snapshot, cosign));
    }

    /// The bytes of an entry, as a reader of the directory finds them.
    Bytes entry(std::uint64_t sequence) {
        DirReader reader(disk, kDir);
        const std::uint64_t size = log->applied_size();
        const std::uint64_t number = sequence / kTileHashes;
        const auto width = static_cast<std::size_t>(
            std::min<std::uint64_t>(kTileHashes, size - number * kTileHashes));
        EXPECT_TRUE(log->snapshot());
        const auto bundle = read_bundle(reader, {number, width});
        EXPECT_TRUE(bundle);
        return to_bytes(bundle->entries[sequence % kTileHashes]);
    }

    Result<event::Event> event_at(std::uint64_t sequence) {
        const Bytes bytes = entry(sequence);
        return log->keys().unseal(TRY(parse_entry(bytes)), log->sources());
    }

    sim::SimDisk disk;
    sim::SimClock clock;
    sim::SimRandom random;
    crypto::Secret32 root;
    std::unique_ptr<Log> log;
};

}  // namespace hygie::ledger
