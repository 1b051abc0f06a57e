#include "sim/sim_disk.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <map>
#include <mutex>

#include "host/os_error.h"
#include "sim/sim_tree.h"

namespace hygie::sim {
namespace {

using Id = SimTree::Id;

/// After this many names lost their target, nodes that nothing reaches are swept.
constexpr std::uint64_t kGarbageNamesMax = 64;

std::unexpected<Error> no_power() {
    return fail(Code::Io, {"courant coupé (simulation)", "power is off (simulated)"},
                {"rejouez après crash()", "go on after crash()"});
}

std::string base_name(std::string_view path) {
    return std::string(path.substr(path.find_last_of('/') + 1));
}

struct Planned {
    Fault fault;
    std::string path_part;
    std::uint64_t spared;
};

/// How far one change goes.
enum class Power { On, FailsNow };

/// What the caller of a change is told at its end.
Status end(Power power) {
    if (power == Power::FailsNow) return no_power();
    return {};
}

}  // namespace

/// The disk proper; every member function is called with the mutex held.
struct SimDisk::Core {
    explicit Core(Chance source) : chance(source) {}

    Status can_read() const {
        if (off) return no_power();
        return {};
    }

    /// Opens a change: counts it, and says whether the power fails during it.
    Result<Power> begin(const std::string& path) {
        if (off) return no_power();
        if (read_only) return os_failure(EROFS, path);
        off = ++steps == crash_at;
        return off ? Power::FailsNow : Power::On;
    }
    /// Whether a sync during which the power fails came through.
    bool came_through(Power power) { return power == Power::On || chance.odds(1, 2); }

    bool strikes(Fault fault, const std::string& path) {
        for (auto plan = plans.begin(); plan != plans.end(); ++plan) {
            if (plan->fault != fault || path.find(plan->path_part) == std::string::npos) continue;
            if (plan->spared-- > 0) continue;
            plans.erase(plan);
            return true;
        }
        return false;
    }

    Result<Id> find(const std::string& path) const {
        TRY_STATUS(can_read());
        if (const auto id = tree.find(path)) return *id;
        return os_failure(ENOENT, path);
    }
    Result<Id> find_dir(const std::string& path) const {
        const Id id = TRY(find(path));
        if (!tree.at(id).is_dir) return os_failure(ENOTDIR, path);
        return id;
    }

    Result<Id> create_file(const std::string& path) {
        const Id dir = TRY(find_dir(parent(path)));
        const Power power = TRY(begin(path));
        const Id id = tree.make_node(false);
        tree.change({{dir, base_name(path), id}});
        TRY_STATUS(end(power));
        return id;
    }

    void forget_name(Id id) {
        room += tree.at(id).content.size();
        ++garbage_names;
    }
    void sweep() {
        if (garbage_names < kGarbageNamesMax) return;
        garbage_names = 0;
        std::set<Id> open;
        for (const auto& [id, files] : open_files) open.insert(id);
        tree.collect_garbage(std::move(open));
    }

    Status write(Id id, const std::string& path, std::uint64_t offset, ByteView bytes) {
        const Power power = TRY(begin(path));
        SimContent& content = tree.edit(id).content;
        const bool broken = strikes(Fault::WriteFails, path);
        if (broken) bytes = bytes.first(chance.below(bytes.size() + 1));
        const std::uint64_t limit = content.size() + room;
        const std::uint64_t fits = limit > offset ? limit - offset : 0;
        const bool full = bytes.size() > fits;
        if (full) bytes = bytes.first(fits);
        const std::uint64_t before = content.size();
        content.write(offset, bytes);
        room -= content.size() - before;
        TRY_STATUS(end(power));
        if (broken) return os_failure(EIO, path);
        if (full) return os_failure(ENOSPC, path);
        return {};
    }

    Status resize(SimContent& content, const std::string& path, std::uint64_t size) {
        const std::uint64_t before = content.size();
        if (size > before && size - before > room) return os_failure(ENOSPC, path);
        content.resize(size);
        room += before - size;  // modulo 2^64, so that growing takes room
        return {};
    }

    Status sync_content(SimContent& content, const std::string& path, Power power) {
        if (strikes(Fault::SyncFails, path)) {
            content.lose_sectors(chance);
            TRY_STATUS(end(power));
            return os_failure(EIO, path);
        }
        if (came_through(power)) content.sync();
        return end(power);
    }

    Status make_dir(Id above, const std::string& name, const std::string& path) {
        const Power power = TRY(begin(path));
        tree.change({{above, name, tree.make_node(true)}});
        if (came_through(power)) tree.sync_names(above);
        return end(power);
    }

    Status sync_below(Id root, const std::string& path) {
        const Power power = TRY(begin(path));
        const bool broken = strikes(Fault::SyncFails, path);
        for (const Id id : tree.below(root)) {
            // When it does not come through as a whole, any part of it may have.
            if (!came_through(power)) continue;
            if (tree.at(id).is_dir)
                tree.sync_names(id);
            else if (broken)
                tree.edit(id).content.lose_sectors(chance);
            else if (!tree.at(id).content.synced())
                tree.edit(id).content.sync();
        }
        sweep();
        TRY_STATUS(end(power));
        if (broken) return os_failure(EIO, path);
        return {};
    }

    /// Files and locks of before are dead from now on.
    void end_processes() {
        ++life;
        open_files.clear();
        locks.clear();
    }

    mutable std::mutex mutex;
    SimTree tree;
    Chance chance;
    std::map<Id, std::uint64_t> open_files;
    std::map<Id, std::uint64_t> locks;  ///< to the number of the lock that holds it
    std::uint64_t locks_given = 0;
    std::vector<Planned> plans;
    std::uint64_t room = std::numeric_limits<std::uint64_t>::max() / 4;
    std::uint64_t steps = 0;
    std::uint64_t crash_at = 0;
    std::uint64_t life = 0;
    std::uint64_t garbage_names = 0;
    bool off = false;
    bool read_only = false;
};

class SimDisk::SimFile final : public File {
  public:
    SimFile(std::shared_ptr<Core> core, std::string path, Id id, bool writable)
        : core_(std::move(core)),
          path_(std::move(path)),
          id_(id),
          life_(core_->life),
          writable_(writable) {
        ++core_->open_files[id_];
    }
    ~SimFile() override {
        const std::lock_guard lock(core_->mutex);
        if (life_ == core_->life && --core_->open_files[id_] == 0) core_->open_files.erase(id_);
    }

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
        const std::lock_guard lock(core_->mutex);
        TRY_STATUS(alive());
        if (core_->strikes(Fault::ReadFails, path_)) return os_failure(EIO, path_);
        const std::size_t size = content().read(offset, out);
        if (size > 0 && core_->strikes(Fault::ReadFlipsABit, path_)) {
            const std::uint64_t bit = core_->chance.below(size * 8);
            out[bit / 8] = static_cast<std::uint8_t>(out[bit / 8] ^ (1u << bit % 8));
        }
        return size;
    }

    Status write_at(std::uint64_t offset, ByteView bytes) override {
        const std::lock_guard lock(core_->mutex);
        TRY_STATUS(bytes.empty() ? alive() : may_write());
        return core_->write(id_, path_, offset, bytes);
    }

    Status sync() override {
        const std::lock_guard lock(core_->mutex);
        TRY_STATUS(alive());
        const Power power = TRY(core_->begin(path_));
        return core_->sync_content(core_->tree.edit(id_).content, path_, power);
    }

    Result<std::uint64_t> size() override {
        const std::lock_guard lock(core_->mutex);
        TRY_STATUS(alive());
        return content().size();
    }

    Status truncate(std::uint64_t size) override {
        const std::lock_guard lock(core_->mutex);
        TRY_STATUS(may_write());
        const Power power = TRY(core_->begin(path_));
        TRY_STATUS(core_->resize(core_->tree.edit(id_).content, path_, size));
        return end(power);
    }

    Status preallocate(std::uint64_t size) override {
        const std::lock_guard lock(core_->mutex);
        TRY_STATUS(size > content().size() ? may_write() : alive());
        const Power power = TRY(core_->begin(path_));
        SimContent& bytes = core_->tree.edit(id_).content;
        if (size > bytes.size()) TRY_STATUS(core_->resize(bytes, path_, size));
        return core_->sync_content(bytes, path_, power);
    }

  private:
    const SimContent& content() const { return core_->tree.at(id_).content; }
    Status alive() const {
        if (life_ != core_->life) return os_failure(EBADF, path_);
        return core_->can_read();
    }
    Status may_write() const {
        TRY_STATUS(alive());
        if (!writable_) return os_failure(EBADF, path_);
        return {};
    }

    std::shared_ptr<Core> core_;
    std::string path_;
    Id id_;
    std::uint64_t life_;
    bool writable_;
};

class SimDisk::SimLock final : public FileLock {
  public:
    SimLock(std::shared_ptr<Core> core, Id id)
        : core_(std::move(core)), id_(id), number_(++core_->locks_given) {
        core_->locks[id_] = number_;
    }
    ~SimLock() override {
        const std::lock_guard lock(core_->mutex);
        // A lock taken before a crash must not release one taken after it.
        if (const auto held = core_->locks.find(id_);
            held != core_->locks.end() && held->second == number_)
            core_->locks.erase(held);
    }

  private:
    std::shared_ptr<Core> core_;
    Id id_;
    std::uint64_t number_;
};

SimDisk::SimDisk(std::uint64_t seed) : core_(std::make_shared<Core>(Chance(seed))) {}
SimDisk::SimDisk(std::shared_ptr<Core> core) : core_(std::move(core)) {}
SimDisk::~SimDisk() = default;

Result<std::unique_ptr<File>> SimDisk::open(const std::string& path, Open mode, Access) {
    const std::lock_guard lock(core_->mutex);
    TRY_STATUS(core_->can_read());
    const auto found = core_->tree.find(path);
    if (found && mode == Open::Create) return os_failure(EEXIST, path);
    if (!found && (mode == Open::Read || mode == Open::ReadWrite)) return os_failure(ENOENT, path);
    if (found && mode != Open::Read && core_->read_only) return os_failure(EROFS, path);
    const Id id = found ? *found : TRY(core_->create_file(path));
    if (core_->tree.at(id).is_dir) return os_failure(EISDIR, path);
    return std::make_unique<SimFile>(core_, path, id, mode != Open::Read);
}

bool SimDisk::exists(const std::string& path) {
    const std::lock_guard lock(core_->mutex);
    return core_->find(path).has_value();
}

Result<std::uint64_t> SimDisk::file_size(const std::string& path) {
    const std::lock_guard lock(core_->mutex);
    return core_->tree.at(TRY(core_->find(path))).content.size();
}

Result<std::vector<DirEntry>> SimDisk::list(const std::string& dir) {
    const std::lock_guard lock(core_->mutex);
    std::vector<DirEntry> entries;
    for (const auto& [name, id] : core_->tree.at(TRY(core_->find_dir(dir))).names)
        entries.push_back({name, core_->tree.at(id).is_dir});
    return entries;
}

Status SimDisk::make_dirs(const std::string& dir, Access access) {
    {
        const std::lock_guard lock(core_->mutex);
        TRY_STATUS(core_->can_read());
        if (const auto found = core_->tree.find(dir)) {
            if (core_->tree.at(*found).is_dir) return {};
            return os_failure(EEXIST, dir);
        }
    }
    TRY_STATUS(make_dirs(parent(dir), access));
    const std::lock_guard lock(core_->mutex);
    if (core_->tree.find(dir)) return {};  // another thread was faster
    return core_->make_dir(TRY(core_->find_dir(parent(dir))), base_name(dir), dir);
}

Status SimDisk::remove(const std::string& path) {
    const std::lock_guard lock(core_->mutex);
    const Id id = TRY(core_->find(path));
    if (!core_->tree.at(id).names.empty()) return os_failure(ENOTEMPTY, path);
    const Id dir = TRY(core_->find_dir(parent(path)));
    const Power power = TRY(core_->begin(path));
    core_->forget_name(id);
    core_->tree.change({{dir, base_name(path), SimTree::kNone}});
    return end(power);
}

Status SimDisk::rename(const std::string& from, const std::string& to) {
    const std::lock_guard lock(core_->mutex);
    const Id id = TRY(core_->find(from));
    const Id from_dir = TRY(core_->find_dir(parent(from)));
    const Id to_dir = TRY(core_->find_dir(parent(to)));
    const auto over = core_->tree.find(to);
    if (over == id) return {};
    if (core_->tree.below(id).contains(to_dir)) return os_failure(EINVAL, to);
    if (over && core_->tree.at(*over).is_dir)
        return os_failure(core_->tree.below(*over).contains(id) ? ENOTEMPTY : EISDIR, to);
    if (over && core_->tree.at(id).is_dir) return os_failure(ENOTDIR, to);
    const Power power = TRY(core_->begin(from));
    if (over) core_->forget_name(*over);
    core_->tree.change({{from_dir, base_name(from), SimTree::kNone}, {to_dir, base_name(to), id}});
    return end(power);
}

Status SimDisk::sync_dir(const std::string& dir) {
    const std::lock_guard lock(core_->mutex);
    const Id id = TRY(core_->find_dir(dir));
    const Power power = TRY(core_->begin(dir));
    if (core_->strikes(Fault::SyncFails, dir)) return os_failure(EIO, dir);
    if (core_->came_through(power)) core_->tree.sync_names(id);
    core_->sweep();
    return end(power);
}

Status SimDisk::sync_all(const std::string& root) {
    const std::lock_guard lock(core_->mutex);
    return core_->sync_below(TRY(core_->find_dir(root)), root);
}

Result<std::unique_ptr<FileLock>> SimDisk::lock(const std::string& path) {
    const std::lock_guard lock(core_->mutex);
    TRY_STATUS(core_->can_read());
    if (core_->read_only) return os_failure(EROFS, path);
    const auto found = core_->tree.find(path);
    const Id id = found ? *found : TRY(core_->create_file(path));
    if (core_->tree.at(id).is_dir) return os_failure(EISDIR, path);
    if (core_->locks.contains(id)) return os_failure(EWOULDBLOCK, path);
    return std::make_unique<SimLock>(core_, id);
}

Result<std::uint64_t> SimDisk::free_bytes(const std::string& path) {
    const std::lock_guard lock(core_->mutex);
    TRY_STATUS(core_->find(path));
    return core_->room;
}

void SimDisk::inject(Fault fault, const std::string& path_part, std::uint64_t spared) {
    const std::lock_guard lock(core_->mutex);
    core_->plans.push_back({fault, path_part, spared});
}

void SimDisk::set_free_bytes(std::uint64_t bytes) {
    const std::lock_guard lock(core_->mutex);
    core_->room = bytes;
}

void SimDisk::set_read_only(bool read_only) {
    const std::lock_guard lock(core_->mutex);
    core_->read_only = read_only;
}

std::uint64_t SimDisk::steps() const {
    const std::lock_guard lock(core_->mutex);
    return core_->steps;
}

void SimDisk::crash_at_step(std::uint64_t step) {
    const std::lock_guard lock(core_->mutex);
    core_->crash_at = step;
}

void SimDisk::crash(std::uint64_t seed) {
    const std::lock_guard lock(core_->mutex);
    Chance chance(seed);
    const std::uint64_t capacity = core_->room + core_->tree.total_bytes();
    core_->tree.lose_power(chance);
    const std::uint64_t total = core_->tree.total_bytes();
    core_->room = capacity > total ? capacity - total : 0;
    core_->end_processes();
    core_->plans.clear();
    core_->crash_at = 0;
    core_->off = false;
}

void SimDisk::kill() {
    const std::lock_guard lock(core_->mutex);
    core_->end_processes();
}

std::unique_ptr<SimDisk> SimDisk::clone() const {
    const std::lock_guard lock(core_->mutex);
    auto copy = std::make_shared<Core>(core_->chance);
    copy->tree = core_->tree;
    copy->tree.collect_garbage({});
    copy->room = core_->room;
    copy->steps = core_->steps;
    copy->off = core_->off;
    copy->read_only = core_->read_only;
    return std::unique_ptr<SimDisk>(new SimDisk(std::move(copy)));
}

}  // namespace hygie::sim
