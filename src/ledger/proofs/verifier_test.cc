#include "ledger/proofs/verifier.h"

#include <gtest/gtest.h>

#include <set>

#include "ledger/proofs/memory_log.h"

namespace hygie::ledger {
namespace {

using namespace memory;
using namespace std::chrono_literals;

const NoteSigner& log_signer() {
    static const NoteSigner log = signer("log.example", KeyType::Ed25519, 100);
    return log;
}

SignedCheckpoint checkpoint_of(std::span<const Bytes> entries,
                               const NoteSigner& log = log_signer()) {
    return sign_checkpoint(
        {log.verifier().name, entries.size(), merkle_tree_hash(leaves_of(entries)), {}}, log);
}

/// A log of some entries and the reader that sees it.
struct Served {
    explicit Served(std::vector<Bytes> all) : entries(std::move(all)), files(tree_files(entries)) {
        sign();
    }
    void sign() { files["checkpoint"] = to_bytes(as_bytes(checkpoint_of(entries).encode())); }

    Result<Report> verify(const VerifyOptions& options = {}) const {
        FilesReader reader(files);
        return verify_log(reader, Policy::trusting(log_signer().verifier()), options);
    }
    Code refusal(const VerifyOptions& options = {}) const {
        const auto report = verify(options);
        EXPECT_FALSE(report);
        return report ? Code::Busy : report.error().code;
    }

    std::vector<Bytes> entries;
    Files files;
};

Served honest(std::size_t size, std::uint64_t seed = 1) {
    Chance chance(seed);
    return Served(honest_entries(size, chance));
}

VerifyOptions since(std::span<const Bytes> entries) {
    VerifyOptions options;
    options.pin = checkpoint_of(entries);
    options.scope = VerifyOptions::Scope::SincePin;
    return options;
}

TEST(Verifier, AcceptsHonestLogsOfEveryShape) {
    for (const std::size_t size :
         {0u, 1u, 2u, 255u, 256u, 257u, 511u, 512u, 1000u, 65'536u, 65'793u}) {
        const Served log = honest(size);
        for (const unsigned threads : {1u, 3u}) {
            VerifyOptions options;
            options.threads = threads;
            std::uint64_t done = 0;
            options.on_progress = [&](std::uint64_t now, std::uint64_t total) {
                EXPECT_EQ(total, size);
                EXPECT_GT(now, done);
                done = now;
            };
            const auto report = log.verify(options);
            ASSERT_TRUE(report) << size << ": " << report.error().what.en;
            EXPECT_EQ(report->entries_checked, size);
            EXPECT_EQ(report->tiles_checked, tiles_between(0, size).size());
            EXPECT_EQ(done, size);
        }
    }
}

TEST(Verifier, EveryFileOfTheLogMatters) {
    const Served good = honest(1000);
    for (const auto& [path, bytes] : good.files) {
        Served bad = good;
        bad.files.erase(path);
        EXPECT_FALSE(bad.verify()) << path << " deleted";
        for (const std::size_t at : {std::size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
            bad = good;
            bad.files[path][at] ^= 4;
            EXPECT_FALSE(bad.verify()) << path << " changed at " << at;
        }
        bad = good;
        bad.files[path].push_back(0);
        EXPECT_FALSE(bad.verify()) << path << " longer";
        bad = good;
        bad.files[path].pop_back();
        EXPECT_FALSE(bad.verify()) << path << " shorter";
    }
}

TEST(Verifier, AFullTileStandsForItsPartialOnes) {
    Served log = honest(1000);
    const Files longer = tree_files(honest(1100).entries);  // same seed: the same first entries
    for (const char* folder : {"0", "entries"}) {
        log.files.erase(file_name(folder, 3, 232));
        log.files[file_name(folder, 3, 256)] = longer.at(file_name(folder, 3, 256));
    }
    EXPECT_TRUE(log.verify());
}

TEST(Verifier, APinIsContinuedOrTheLogIsForged) {
    const Served log = honest(1000);
    for (const std::size_t size : {0u, 1u, 255u, 256u, 300u, 512u, 999u, 1000u}) {
        VerifyOptions options = since(std::span(log.entries).first(size));
        const auto report = log.verify(options);
        ASSERT_TRUE(report) << size << ": " << report.error().what.en;
        EXPECT_EQ(report->first, size / 256 * 256);
        EXPECT_EQ(report->entries_checked, 1000 - report->first);
        options.scope = VerifyOptions::Scope::Whole;
        EXPECT_EQ(log.verify(options)->entries_checked, 1000u);

        if (size == 0) continue;
        const Served other = honest(1000, 3);
        int forks = 0;
        options = since(std::span(other.entries).first(size));
        options.on_fork = [&](const ForkEvidence& evidence) {
            ++forks;
            EXPECT_EQ(evidence.pinned, *options.pin);
            EXPECT_EQ(evidence.served.checkpoint.size, 1000u);
        };
        options.scope = VerifyOptions::Scope::Whole;
        EXPECT_EQ(log.refusal(options), Code::Forged) << size;
        EXPECT_EQ(forks, 1);
        options.scope = VerifyOptions::Scope::SincePin;
        EXPECT_FALSE(log.verify(options)) << size;
    }
}

TEST(Verifier, AnIncrementalAuditCallsARewrittenPastForged) {
    // The attacker rewrites an old entry and every tile above it, and signs again.
    Served log = honest(1000);
    const VerifyOptions options = since(std::span(log.entries).first(700));
    EXPECT_TRUE(log.verify(options));
    Chance chance(9);
    log.entries[5] = sealed_entry(5, parse_entry(log.entries[5])->header.source,
                                  parse_entry(log.entries[5])->header.counter, chance);
    log.files = tree_files(log.entries);
    log.sign();
    EXPECT_TRUE(log.verify()) << "consistent in itself";
    EXPECT_EQ(log.refusal(options), Code::Forged);
}

TEST(Verifier, AnIncrementalAuditReadsOnlyWhatIsNew) {
    class Counting final : public LogReader {
      public:
        explicit Counting(const Files& files) : files_(files) {}
        Result<Bytes> read(const std::string& path, std::size_t bytes_max) override {
            paths.insert(path);
            return files_.read(path, bytes_max);
        }
        std::set<std::string> paths;

      private:
        FilesReader files_;
    };
    const Served log = honest(70'000);
    Counting reader(log.files);
    const auto options = since(std::span(log.entries).first(69'000));
    ASSERT_TRUE(verify_log(reader, Policy::trusting(log_signer().verifier()), options));
    EXPECT_LT(reader.paths.size(), 20u);
    EXPECT_FALSE(reader.paths.contains("tile/entries/000"));
}

TEST(Verifier, ARollbackIsForgedAndKept) {
    const Served log = honest(500);
    const Served longer = honest(600);
    VerifyOptions options = since(longer.entries);
    int forks = 0;
    options.on_fork = [&](const ForkEvidence&) { ++forks; };
    EXPECT_EQ(log.refusal(options), Code::Forged);
    EXPECT_EQ(forks, 1);
}

TEST(Verifier, PinsOfOthersAreRefused) {
    const Served log = honest(500);
    VerifyOptions options = since(log.entries);
    options.pin = checkpoint_of(log.entries, signer("other.example", KeyType::Ed25519, 100));
    EXPECT_EQ(log.refusal(options), Code::BadInput);
    options.pin = checkpoint_of(log.entries, signer("log.example", KeyType::Ed25519, 99));
    EXPECT_EQ(log.refusal(options), Code::Forged);
    options.pin.reset();
    EXPECT_EQ(log.refusal(options), Code::BadInput) << "no pin to start from";
}

TEST(Verifier, ForeignLogsAreVerifiedWithoutReadingTheirEntries) {
    std::vector<Bytes> entries;
    for (std::size_t i = 0; i < 600; ++i)
        entries.push_back(to_bytes(as_bytes("entry " + std::to_string(i))));
    entries[7].clear();
    const Served log(entries);
    EXPECT_EQ(log.refusal(), Code::Corrupt);
    VerifyOptions options;
    options.entries = VerifyOptions::Entries::Opaque;
    EXPECT_EQ(log.verify(options)->entries_checked, 600u);
}

TEST(Verifier, SequenceNumbersAreTheIndexes) {
    Served log = honest(300);
    std::swap(log.entries[10], log.entries[20]);
    EXPECT_EQ(Served(log.entries).refusal(), Code::Forged);
}

/// A log in which source 1 counts as given.
std::vector<Bytes> counting(const std::vector<std::uint64_t>& counters, std::size_t before = 0) {
    Chance chance(3);
    std::vector<Bytes> entries;
    for (std::size_t i = 0; i < before; ++i) entries.push_back(sealed_entry(i, 2, i + 1, chance));
    for (const std::uint64_t counter : counters)
        entries.push_back(sealed_entry(entries.size(), 1, counter, chance));
    return entries;
}

TEST(Verifier, AnUndeclaredGapIsForged) {
    EXPECT_TRUE(Served(counting({1, 2, 3})).verify());
    EXPECT_EQ(Served(counting({1, 2, 3})).verify()->counters, (SourceCounters{{1, 3}}));
    EXPECT_EQ(Served(counting({2, 3})).refusal(), Code::Forged) << "a source starts at 1";
    EXPECT_EQ(Served(counting({1, 3})).refusal(), Code::Forged);
    EXPECT_EQ(Served(counting({1, 1})).refusal(), Code::Forged);
    EXPECT_EQ(Served(counting({1, 2, 1})).refusal(), Code::Forged);
    EXPECT_EQ(Served(counting({2}, 65'536)).refusal(), Code::Forged) << "across runs";
    EXPECT_TRUE(Served(counting({1, 2}, 65'535)).verify()) << "across runs";
    EXPECT_EQ(Served(counting({1, 3}, 65'535)).refusal(), Code::Forged) << "across runs";
}

TEST(Verifier, ADeclaredGapIsAccepted) {
    const auto with = [](event::Type type, std::map<std::string, std::string> detail) {
        Chance chance(3);
        std::vector<Bytes> entries = counting({1, 2});
        entries.push_back(open_entry(2, 1, type, std::move(detail)));
        entries.push_back(sealed_entry(3, 1, 6, chance));
        return Served(entries);
    };
    const auto gap = event::Type::SourceGap;
    EXPECT_TRUE(with(gap, {{"source", "1"}, {"first", "3"}, {"last", "5"}}).verify());
    for (const std::map<std::string, std::string>& detail :
         std::vector<std::map<std::string, std::string>>{
             {{"source", "1"}, {"first", "3"}, {"last", "4"}},
             {{"source", "1"}, {"first", "4"}, {"last", "5"}},
             {{"source", "1"}, {"first", "2"}, {"last", "5"}},
             {{"source", "2"}, {"first", "3"}, {"last", "5"}},
             {{"source", "0"}, {"first", "2"}, {"last", "5"}},
             {{"source", "1"}, {"first", "5"}, {"last", "3"}},
             {{"source", "1"}, {"first", "03"}, {"last", "5"}},
             {{"source", "1"}, {"first", "3"}},
             {}})
        EXPECT_EQ(with(gap, detail).refusal(), Code::Forged);
    EXPECT_EQ(
        with(event::Type::Heartbeat, {{"source", "1"}, {"first", "3"}, {"last", "5"}}).refusal(),
        Code::Forged);
}

TEST(Verifier, CountersGoOnFromThePin) {
    const auto entries = counting({1, 2, 3, 5});
    const Served log(entries);
    VerifyOptions options = since(std::span(entries).first(3));
    EXPECT_TRUE(log.verify(options)->counters.contains(1)) << "unknown counters start anywhere";
    const SourceCounters kept = Served({entries.begin(), entries.begin() + 3}).verify()->counters;
    options.pin_counters =
        parse_counters(encode_counters(options.pin->checkpoint, kept), options.pin->checkpoint)
            .value();
    EXPECT_EQ(*options.pin_counters, kept);
    EXPECT_EQ(log.refusal(options), Code::Forged);
    const auto good = counting({1, 2, 3, 4});
    options = since(std::span(good).first(3));
    options.pin_counters = kept;
    EXPECT_EQ(Served(good).verify(options)->counters, (SourceCounters{{1, 4}}));
}

TEST(Verifier, CountersBelongToTheirPin) {
    const Checkpoint pin = checkpoint_of(honest(10).entries).checkpoint;
    const std::string text = encode_counters(pin, {{0, 4}, {1, 9}});
    EXPECT_TRUE(parse_counters(text, pin));
    Checkpoint other = pin;
    other.size = 11;
    EXPECT_FALSE(parse_counters(text, other));
    for (const char* bad :
         {"1 2\n1 3\n", "2 2\n1 3\n", "1\n", "1 02\n", "1  2\n", "a b\n", "\n", "1 2"})
        EXPECT_FALSE(parse_counters(pin.encode() + bad, pin)) << bad;
}

TEST(Verifier, PrunedEntriesMayBeAbsentWhenTheLogSaysSo) {
    Chance chance(4);
    std::vector<Bytes> entries = honest_entries(1000, chance);
    Served silent(entries);
    std::uint64_t own = silent.verify()->counters[0];
    entries.push_back(open_entry(1000, own + 1, event::Type::LedgerPruned, {}));
    Served log(entries);
    VerifyOptions options;
    options.minimum_index = 520;
    for (Served* each : {&silent, &log})
        for (const std::uint64_t bundle : {0u, 1u})
            each->files.erase(file_name("entries", bundle, 256));
    EXPECT_EQ(log.refusal(), Code::NotFound) << "only when the caller accepts it";
    EXPECT_EQ(silent.refusal(options), Code::Forged) << "only when the log declares it";
    const auto report = log.verify(options);
    ASSERT_TRUE(report) << report.error().what.en;
    EXPECT_EQ(report->entries_absent, 512u);
    EXPECT_EQ(report->entries_checked, 489u);
    log.files.erase(file_name("entries", 2, 256));
    EXPECT_EQ(log.refusal(options), Code::NotFound) << "above the minimum index";
    log = Served(entries);
    log.files[file_name("entries", 0, 256)][100] ^= 1;
    EXPECT_EQ(log.refusal(options), Code::Corrupt) << "what is still there must be true";
    log = Served(entries);
    log.files.erase(file_name("entries", 0, 256));
    log.files.erase(file_name("0", 0, 256));
    EXPECT_EQ(log.refusal(options), Code::NotFound) << "tiles stay";
    options.minimum_index = 2000;
    EXPECT_EQ(log.refusal(options), Code::BadInput);
}

TEST(Verifier, ASizeNobodyCanServeEndsAtOnce) {
    Served log = honest(10);
    const Checkpoint huge{"log.example", INT64_MAX, {}, {}};
    log.files["checkpoint"] = to_bytes(as_bytes(sign_checkpoint(huge, log_signer()).encode()));
    EXPECT_EQ(log.refusal(), Code::NotFound);
    const Checkpoint empty{"log.example", 0, {}, {}};
    log.files["checkpoint"] = to_bytes(as_bytes(sign_checkpoint(empty, log_signer()).encode()));
    EXPECT_EQ(log.refusal(), Code::Corrupt) << "size 0 has one root";
}

}  // namespace
}  // namespace hygie::ledger
