// The simulated disk and the real one must answer alike, or what holds in simulation proves
// nothing. The same random calls go to both.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/chance.h"
#include "sim/seeds.h"
#include "sim/sim_disk.h"
#include "sim/temp_dir.h"

namespace hygie::sim {
namespace {

constexpr int kCalls = 150;

template <typename T>
std::string told(const Result<T>& result, const std::string& value) {
    return result ? value : fmt::format("error {}", static_cast<int>(result.error().code));
}

std::string told(const Status& status) {
    return status ? "done" : fmt::format("error {}", static_cast<int>(status.error().code));
}

std::size_t digest(ByteView bytes) {
    return std::hash<std::string_view>{}(as_text(bytes));
}

/// One disk under a root, and what each call on it answered, as text.
class Told {
  public:
    Told(Disk& disk, std::string root) : disk_(disk), root_(std::move(root)) {}

    std::string call(Chance chance) {
        const std::string path = random_path(chance);
        const std::string other = random_path(chance);
        switch (chance.below(10)) {
            case 0:
                return told(disk_.make_dirs(path));
            case 1:
                return told(disk_.remove(path));
            case 2:
                return rename(path, other);
            case 3:
                return listed(path);
            case 4:
                return told(disk_.sync_dir(path));
            case 5:
                return told(disk_.write_file(path, as_bytes(path.substr(root_.size()))));
            case 6:
                return told(disk_.replace_file(path, as_bytes(other.substr(root_.size()))));
            default:
                return in_file(path, chance);
        }
    }

  private:
    std::string random_path(Chance& chance) const {
        constexpr const char* kNames[] = {"a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "absent/a"};
        return join(root_, kNames[chance.below(std::size(kNames))]);
    }

    std::string rename(const std::string& from, const std::string& to) {
        // A directory over a directory is nothing that Hygie does.
        if (disk_.list(from) && disk_.list(to)) return "";
        return told(disk_.rename(from, to));
    }

    std::string listed(const std::string& dir) {
        const auto entries = disk_.list(dir);
        std::string names;
        if (entries)
            for (const DirEntry& entry : *entries)
                names += entry.name + (entry.is_dir ? "/ " : " ");
        return told(entries, names);
    }

    std::string in_file(const std::string& path, Chance& chance) {
        constexpr Open kModes[] = {Open::Read, Open::ReadWrite, Open::Create, Open::OpenOrCreate};
        const auto file = disk_.open(path, kModes[chance.below(4)]);
        if (!file) return told(file, "");
        const std::uint64_t offset = chance.below(6000);
        std::string answer;
        switch (chance.below(4)) {
            case 0:
                answer = told((*file)->write_at(offset, Bytes(chance.below(3000), 'w')));
                break;
            case 1:
                answer = told((*file)->truncate(offset));
                break;
            case 2:
                answer = told((*file)->preallocate(offset));
                break;
            default:
                answer = told((*file)->sync());
        }
        Bytes out(3000);
        const auto got = (*file)->read_at(chance.below(6000), out);
        const auto whole = disk_.read_file(path, 1 << 20);
        return fmt::format("{} read {} {:x} size {} whole {}", answer, got.value_or(0), digest(out),
                           (*file)->size().value_or(0),
                           told(whole, whole ? fmt::format("{:x}", digest(*whole)) : ""));
    }

    Disk& disk_;
    std::string root_;
};

TEST(DiskLikeness, SimulatedAndRealAnswerAlike) {
    for_each_seed(8, [](std::uint64_t seed) {
        SimDisk sim_disk;
        const TempDir dir;
        ASSERT_TRUE(sim_disk.make_dirs("root"));
        Told sim(sim_disk, "root");
        Told real(real_disk(), dir.path());
        Chance chance(seed);
        for (int i = 0; i < kCalls; ++i) {
            const Chance same(chance.next());
            ASSERT_EQ(sim.call(same), real.call(same)) << "call " << i;
        }
    });
}

}  // namespace
}  // namespace hygie::sim
