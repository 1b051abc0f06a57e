// A log of forty lines, right once and wrong in four ways. The simulator must pass the right one
// and catch each wrong one; a simulator that lets one through would be decorative. It is also the
// pattern for the tests of real stores: cut the power at every step, look at many worlds after each
// cut, check what was promised.

#include <gtest/gtest.h>

#include "sim/chance.h"
#include "sim/sim_disk.h"

namespace hygie::sim {
namespace {

constexpr std::uint64_t kRecords = 5;
constexpr std::uint64_t kWorlds = 40;
constexpr std::size_t kHeadBytes = 12;  // size (4), checksum (8)

enum class Bug { None, NoSync, NoDirSync, NoChecksum, ForgivesFailedSync };

std::uint64_t checksum(ByteView bytes) {
    std::uint64_t sum = 0xCBF29CE484222325u;  // FNV-1a
    for (const std::uint8_t byte : bytes) sum = (sum ^ byte) * 0x100000001B3u;
    return sum;
}

/// The n-th record, of a size that often crosses a sector.
Bytes record(std::uint64_t n) {
    return Bytes(200 + 177 * n, static_cast<std::uint8_t>('a' + n));
}

/// Appends the records; how many were acknowledged before the disk gave out.
std::uint64_t append_all(SimDisk& disk, Bug bug) {
    auto file = disk.open("log", Open::Create);
    if (!file) return 0;
    if (bug != Bug::NoDirSync && !disk.sync_dir("")) return 0;
    std::uint64_t offset = 0;
    for (std::uint64_t n = 0; n < kRecords; ++n) {
        const Bytes payload = record(n);
        Bytes frame(kHeadBytes);
        store_be(frame.data(), static_cast<std::uint32_t>(payload.size()));
        store_be(frame.data() + 4, checksum(payload));
        append(frame, payload);
        if (!(*file)->write_at(offset, frame)) return n;
        if (bug != Bug::NoSync && !(*file)->sync() && bug != Bug::ForgivesFailedSync) return n;
        offset += frame.size();
    }
    return kRecords;
}

std::vector<Bytes> recover(SimDisk& disk, Bug bug) {
    std::vector<Bytes> records;
    const Bytes log = disk.read_file("log", 1 << 20).value_or(Bytes{});
    ByteView rest = log;
    while (rest.size() >= kHeadBytes) {
        const auto size = load_be<std::uint32_t>(rest.data());
        if (size == 0 || size > rest.size() - kHeadBytes) break;
        const ByteView payload = rest.subspan(kHeadBytes, size);
        if (bug != Bug::NoChecksum && checksum(payload) != load_be<std::uint64_t>(rest.data() + 4))
            break;
        records.push_back(to_bytes(payload));
        rest = rest.subspan(kHeadBytes + size);
    }
    return records;
}

/// What was acknowledged is there, and what is there was written; at most one record was in flight.
bool keeps_its_promise(const std::vector<Bytes>& found, std::uint64_t acknowledged) {
    if (found.size() < acknowledged || found.size() > acknowledged + 1) return false;
    for (std::uint64_t n = 0; n < found.size(); ++n)
        if (found[n] != record(n)) return false;
    return true;
}

/// Worlds in which the log broke its promise, over a power cut at every step.
std::uint64_t broken_worlds(Bug bug) {
    std::uint64_t broken = 0;
    SimDisk whole;
    append_all(whole, bug);
    for (std::uint64_t step = 1; step <= whole.steps() + 1; ++step) {
        SimDisk disk(step);
        disk.inject(Fault::SyncFails, "log", 3);
        disk.crash_at_step(step);
        const std::uint64_t acknowledged = append_all(disk, bug);
        for (std::uint64_t world = 1; world <= kWorlds; ++world) {
            const auto copy = disk.clone();
            copy->crash(world);
            broken += !keeps_its_promise(recover(*copy, bug), acknowledged);
        }
    }
    return broken;
}

TEST(ToyLog, HoldsInEveryWorldWhenItIsRight) {
    EXPECT_EQ(broken_worlds(Bug::None), 0u);
}

TEST(ToyLog, IsCaughtInEachWayOfBeingWrong) {
    for (const Bug bug : {Bug::NoSync, Bug::NoDirSync, Bug::NoChecksum, Bug::ForgivesFailedSync})
        EXPECT_GT(broken_worlds(bug), 0u) << "bug " << static_cast<int>(bug);
}

}  // namespace
}  // namespace hygie::sim
