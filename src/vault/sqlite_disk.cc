#include "vault/sqlite_disk.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

#include "base/check.h"
#include "crypto/wipe.h"

namespace hygie::vault {
namespace {

constexpr int kPathBytesMax = 4096;
constexpr int kSectorBytes = 4096;
constexpr std::array<std::uint8_t, 32> kLogHeader{};  // of a log that holds nothing

/// What the connections to one database share: the locks on its file and the index of its
/// write-ahead log. Guarded by SqliteDisk::State::mutex.
struct Shared {
    int readers = 0;                       ///< connections that hold SHARED or more
    const sqlite3_file* writer = nullptr;  ///< holds RESERVED or more
    bool exclusive = false;                ///< PENDING or EXCLUSIVE is held by the writer
    std::vector<std::unique_ptr<std::uint8_t[]>> regions;
    std::array<int, SQLITE_SHM_NLOCK> locks{};  ///< readers of each, or -1: one writer
};

}  // namespace

struct SqliteDisk::State {
    explicit State(const StoreDoors& doors_) : doors(doors_) {}

    StoreDoors doors;
    std::string name;
    sqlite3_vfs vfs{};
    mutable std::mutex mutex;
    std::map<std::string, Shared, std::less<>> shared;
    std::optional<Error> failure;
    std::atomic<bool> broken = false;

    int refuse(const Error& error, int code) {
        if (error.code == Code::Full) return SQLITE_FULL;
        const std::lock_guard lock(mutex);
        if (!failure) failure = error;
        broken = true;
        return code;
    }
    int done(const Status& status, int code) {
        return status ? SQLITE_OK : refuse(status.error(), code);
    }
};

namespace {

/// SQLite allocates it; `base` comes first, as it asks.
struct OpenFile {
    sqlite3_file base;
    SqliteDisk::State* disk;
    File* file;
    std::string* path;
    Shared* shared;            ///< of a main database
    int level;                 ///< SQLITE_LOCK_…
    bool is_log;               ///< the write-ahead log
    bool name_fresh;           ///< created here: its directory is synced with its first sync
    std::uint32_t shm_shared;  ///< bits of the locks this connection holds
    std::uint32_t shm_exclusive;
};

OpenFile& of(sqlite3_file* file) {
    return *reinterpret_cast<OpenFile*>(file);
}
SqliteDisk::State& of(sqlite3_vfs* vfs) {
    return *static_cast<SqliteDisk::State*>(vfs->pAppData);
}

// --- bytes -------------------------------------------------------------------------------------

int close_file(sqlite3_file* handle) {
    OpenFile& open = of(handle);
    delete open.file;
    delete open.path;
    return SQLITE_OK;
}

int read_bytes(sqlite3_file* handle, void* out, int size, sqlite3_int64 offset) {
    const std::span bytes(static_cast<std::uint8_t*>(out), static_cast<std::size_t>(size));
    const auto got = of(handle).file->read_at(static_cast<std::uint64_t>(offset), bytes);
    if (!got) return of(handle).disk->refuse(got.error(), SQLITE_IOERR_READ);
    if (*got == bytes.size()) return SQLITE_OK;
    std::ranges::fill(bytes.subspan(*got), 0);
    return SQLITE_IOERR_SHORT_READ;
}

int write_bytes(sqlite3_file* handle, const void* bytes, int size, sqlite3_int64 offset) {
    OpenFile& open = of(handle);
    if (open.disk->broken) return SQLITE_IOERR_WRITE;
    const ByteView view(static_cast<const std::uint8_t*>(bytes), static_cast<std::size_t>(size));
    return open.disk->done(open.file->write_at(static_cast<std::uint64_t>(offset), view),
                           SQLITE_IOERR_WRITE);
}

/// A log that is cut has been copied into the database. Were the power lost half-way, its front
/// could survive and be replayed over newer pages: without its header, nothing is replayed.
Status forget_log(File& log) {
    if (TRY(log.size()) < kLogHeader.size()) return {};
    TRY_STATUS(log.write_at(0, kLogHeader));
    TRY_STATUS(log.sync());
    return crypto::wipe(log);
}

int truncate_file(sqlite3_file* handle, sqlite3_int64 size) {
    OpenFile& open = of(handle);
    if (open.disk->broken) return SQLITE_IOERR_TRUNCATE;
    if (open.is_log && size == 0)
        if (const Status forgotten = forget_log(*open.file); !forgotten)
            return open.disk->refuse(forgotten.error(), SQLITE_IOERR_TRUNCATE);
    return open.disk->done(open.file->truncate(static_cast<std::uint64_t>(size)),
                           SQLITE_IOERR_TRUNCATE);
}

int sync_file(sqlite3_file* handle, int) {
    OpenFile& open = of(handle);
    if (open.disk->broken) return SQLITE_IOERR_FSYNC;
    if (const Status synced = open.file->sync(); !synced)
        return open.disk->refuse(synced.error(), SQLITE_IOERR_FSYNC);
    if (!std::exchange(open.name_fresh, false)) return SQLITE_OK;
    return open.disk->done(open.disk->doors.disk.sync_dir(parent(*open.path)),
                           SQLITE_IOERR_DIR_FSYNC);
}

int size_of_file(sqlite3_file* handle, sqlite3_int64* out) {
    const auto size = of(handle).file->size();
    if (!size) return of(handle).disk->refuse(size.error(), SQLITE_IOERR_FSTAT);
    *out = static_cast<sqlite3_int64>(*size);
    return SQLITE_OK;
}

// --- locks (https://www.sqlite.org/lockingv3.html) -----------------------------------------------

/// Takes one more level. With State::mutex held.
int raise_lock(OpenFile& open, sqlite3_file* self, int level) {
    Shared& shared = *open.shared;
    if (shared.writer && shared.writer != self && (level > SQLITE_LOCK_SHARED || shared.exclusive))
        return SQLITE_BUSY;
    if (open.level == SQLITE_LOCK_NONE) ++shared.readers;
    open.level = std::max(open.level, SQLITE_LOCK_SHARED);
    if (level == SQLITE_LOCK_SHARED) return SQLITE_OK;
    shared.writer = self;
    if (level == SQLITE_LOCK_EXCLUSIVE) {
        shared.exclusive = true;
        open.level = SQLITE_LOCK_PENDING;
        if (shared.readers > 1) return SQLITE_BUSY;
    }
    open.level = level;
    return SQLITE_OK;
}

int lock_file(sqlite3_file* handle, int level) {
    OpenFile& open = of(handle);
    if (!open.shared || open.level >= level) return SQLITE_OK;
    const std::lock_guard lock(open.disk->mutex);
    return raise_lock(open, handle, level);
}

int unlock_file(sqlite3_file* handle, int level) {
    OpenFile& open = of(handle);
    if (!open.shared || open.level <= level) return SQLITE_OK;
    const std::lock_guard lock(open.disk->mutex);
    Shared& shared = *open.shared;
    if (shared.writer == handle) {
        shared.writer = nullptr;
        shared.exclusive = false;
    }
    if (level == SQLITE_LOCK_NONE) --shared.readers;
    open.level = level;
    return SQLITE_OK;
}

int check_reserved(sqlite3_file* handle, int* out) {
    OpenFile& open = of(handle);
    const std::lock_guard lock(open.disk->mutex);
    *out = open.shared && open.shared->writer != nullptr;
    return SQLITE_OK;
}

// --- the index of the write-ahead log (https://www.sqlite.org/walformat.html) --------------------

int map_region(sqlite3_file* handle, int number, int size, int extend, void volatile** out) {
    OpenFile& open = of(handle);
    const std::lock_guard lock(open.disk->mutex);
    auto& regions = open.shared->regions;
    const auto index = static_cast<std::size_t>(number);
    *out = nullptr;
    if (index >= regions.size() && !extend) return SQLITE_OK;
    while (regions.size() <= index)
        regions.push_back(std::make_unique<std::uint8_t[]>(static_cast<std::size_t>(size)));
    *out = regions[index].get();
    return SQLITE_OK;
}

int lock_region(sqlite3_file* handle, int first, int count, int flags) {
    OpenFile& open = of(handle);
    const std::lock_guard lock(open.disk->mutex);
    const std::span locks =
        std::span(open.shared->locks)
            .subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    const std::uint32_t bits = ((1u << count) - 1) << first;
    if (flags & SQLITE_SHM_UNLOCK) {
        if (open.shm_exclusive & bits)
            std::ranges::fill(locks, 0);
        else if (open.shm_shared & bits)
            --locks[0];
        open.shm_exclusive &= ~bits;
        open.shm_shared &= ~bits;
        return SQLITE_OK;
    }
    if (flags & SQLITE_SHM_SHARED) {
        if (open.shm_shared & bits) return SQLITE_OK;
        if (locks[0] < 0) return SQLITE_BUSY;
        ++locks[0];
        open.shm_shared |= bits;
        return SQLITE_OK;
    }
    if (std::ranges::any_of(locks, [](int holders) { return holders != 0; })) return SQLITE_BUSY;
    std::ranges::fill(locks, -1);
    open.shm_exclusive |= bits;
    return SQLITE_OK;
}

void barrier(sqlite3_file*) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

int unmap_regions(sqlite3_file* handle, int is_last) {
    OpenFile& open = of(handle);
    const std::lock_guard lock(open.disk->mutex);
    if (is_last) open.shared->regions.clear();
    return SQLITE_OK;
}

// --- the file system -----------------------------------------------------------------------------

int control(sqlite3_file*, int, void*) {
    return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file*) {
    return kSectorBytes;
}
int characteristics(sqlite3_file*) {
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

constexpr sqlite3_io_methods kMethods = {
    2,         close_file,    read_bytes,      write_bytes, truncate_file,
    sync_file, size_of_file,  lock_file,       unlock_file, check_reserved,
    control,   sector_size,   characteristics, map_region,  lock_region,
    barrier,   unmap_regions, nullptr,         nullptr};

int open_file(sqlite3_vfs* vfs, const char* path, sqlite3_file* handle, int flags, int* out_flags) {
    handle->pMethods = nullptr;
    SqliteDisk::State& disk = of(vfs);
    if (!path) return SQLITE_CANTOPEN;  // temporary files stay in memory: PRAGMA temp_store
    const bool fresh = !disk.doors.disk.exists(path);
    auto file = disk.doors.disk.open(
        path, flags & SQLITE_OPEN_CREATE ? Open::OpenOrCreate : Open::ReadWrite);
    if (!file) return SQLITE_CANTOPEN;
    OpenFile& open = of(handle);
    open = {.base = {&kMethods},
            .disk = &disk,
            .file = file->release(),
            .path = new std::string(path),
            .shared = nullptr,
            .level = SQLITE_LOCK_NONE,
            .is_log = (flags & SQLITE_OPEN_WAL) != 0,
            .name_fresh = fresh,
            .shm_shared = 0,
            .shm_exclusive = 0};
    if (flags & SQLITE_OPEN_MAIN_DB) {
        const std::lock_guard lock(disk.mutex);
        open.shared = &disk.shared[path];
    }
    if (out_flags) *out_flags = flags;
    return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* path, int sync_dir) {
    SqliteDisk::State& disk = of(vfs);
    if (disk.broken) return SQLITE_IOERR_DELETE;
    if (!disk.doors.disk.exists(path)) return SQLITE_IOERR_DELETE_NOENT;
    if (const Status gone = disk.doors.disk.remove(path); !gone)
        return disk.refuse(gone.error(), SQLITE_IOERR_DELETE);
    if (!sync_dir) return SQLITE_OK;
    return disk.done(disk.doors.disk.sync_dir(parent(path)), SQLITE_IOERR_DIR_FSYNC);
}

int access_file(sqlite3_vfs* vfs, const char* path, int, int* out) {
    *out = of(vfs).doors.disk.exists(path);
    return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* path, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", path);
    return SQLITE_OK;
}

int randomness(sqlite3_vfs* vfs, int size, char* out) {
    of(vfs).doors.random.fill(
        {reinterpret_cast<std::uint8_t*>(out), static_cast<std::size_t>(size)});
    return size;
}

int sleep_for(sqlite3_vfs* vfs, int micros) {
    of(vfs).doors.clock.sleep_for(Micros(micros));
    return micros;
}

int current_time(sqlite3_vfs* vfs, sqlite3_int64* out) {
    constexpr sqlite3_int64 kUnixEpochJulianMs = 210'866'760'000'000;
    const auto since = of(vfs).doors.clock.now().time_since_epoch();
    *out =
        kUnixEpochJulianMs + std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
    return SQLITE_OK;
}

int last_error(sqlite3_vfs*, int, char*) {
    return SQLITE_OK;
}

}  // namespace

SqliteDisk::SqliteDisk(const StoreDoors& doors) : state_(std::make_unique<State>(doors)) {
    static std::atomic<std::uint64_t> made = 0;
    state_->name = "hygie-" + std::to_string(made++);
    sqlite3_vfs& vfs = state_->vfs;
    vfs.iVersion = 2;
    vfs.szOsFile = sizeof(OpenFile);
    vfs.mxPathname = kPathBytesMax;
    vfs.zName = state_->name.c_str();
    vfs.pAppData = state_.get();
    vfs.xOpen = open_file;
    vfs.xDelete = delete_file;
    vfs.xAccess = access_file;
    vfs.xFullPathname = full_path;
    vfs.xRandomness = randomness;
    vfs.xSleep = sleep_for;
    vfs.xCurrentTimeInt64 = current_time;
    vfs.xGetLastError = last_error;
    HYGIE_CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK, "SQLite must know its disk");
}

SqliteDisk::~SqliteDisk() {
    sqlite3_vfs_unregister(&state_->vfs);
}

const std::string& SqliteDisk::name() const {
    return state_->name;
}

std::optional<Error> SqliteDisk::failure() const {
    const std::lock_guard lock(state_->mutex);
    return state_->failure;
}

}  // namespace hygie::vault
