#pragma once

#include <string>
#include <vector>

#include "app/ledger/clerk.h"

/// For tests and fuzzing only: a clerk without a ledger.
namespace hygie::app {

/// Answers from what the test put in, and remembers what it was asked.
class TestClerk final : public Clerk {
  public:
    class TestReading final : public Reading {
      public:
        Result<Answers> next() override {
            return Answers{7, {{6, event::Type::RecordRead, {}, an_event()}}, true};
        }
    };

    Result<std::vector<std::optional<std::uint64_t>>> append(
        std::vector<ledger::Draft> drafts) override {
        asked.emplace_back("append");
        std::vector<std::optional<std::uint64_t>> indexes(drafts.size());
        if (!indexes.empty()) indexes[0] = 41;
        return indexes;
    }
    Result<std::unique_ptr<Reading>> read(const ActorId& reader, const Question&) override {
        asked.push_back("read by " + reader.str());
        if (refusal) return std::unexpected(*refusal);
        auto reading = std::make_unique<TestReading>();
        reading->size = 7;
        reading->proofs = proofs;
        return reading;
    }
    Result<std::uint64_t> shred(const Erasure&) override { return ask("shred"); }
    Result<ledger::Pruned> prune(const ActorId&, bool) override {
        asked.emplace_back("prune");
        return ledger::Pruned{256, 1, 2};
    }
    Result<std::string> rotate() override {
        asked.emplace_back("rotate");
        return std::string("a.example+key");
    }
    Result<std::uint64_t> rewrap() override { return ask("rewrap"); }
    Status close() override { return {}; }

    static event::Event an_event() {
        event::Event event;
        event.type = event::Type::RecordRead;
        event.source = SourceId("records");
        event.node = NodeId("node-1");
        event.actor.id = ActorId("nurse-1");
        return event;
    }

    std::vector<std::string> asked;
    std::optional<Error> refusal;
    std::vector<Bytes> proofs;

  private:
    Result<std::uint64_t> ask(const char* what) {
        asked.emplace_back(what);
        return std::uint64_t{3};
    }
};

}  // namespace hygie::app
