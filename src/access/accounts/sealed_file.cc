#include "access/accounts/sealed_file.h"

#include <array>
#include <mutex>

#include "base/check.h"

namespace hygie::access {
namespace {

constexpr std::string_view kMagic = "hygie sealed file 1\n";
constexpr std::uint64_t kBytesMax = 256 << 20;
constexpr std::size_t kCounterBytes = 8;
/// How long a change waits for that of another process.
constexpr Micros kLockWait = std::chrono::seconds(10);
constexpr Micros kLockPause = std::chrono::milliseconds(2);

}  // namespace

struct SealedFile::State {
    State(const Doors& given, const std::string& directory, const std::string& file_name,
          const crypto::Secret32& sealing_key)
        : doors(given), path(join(directory, file_name)), key(sealing_key) {
        label = std::string(kMagic) + file_name;
    }

    Result<std::uint64_t> count();
    Result<Bytes> load();
    Status store(ByteView content);
    Result<std::unique_ptr<FileLock>> lock();

    Doors doors;
    std::string path;
    std::string label;  ///< bound to the seal: a file is not taken for another
    crypto::Secret32 key;
    std::mutex mutex;
    std::unique_ptr<File> counter;
    std::uint64_t seen = 0;
};

Result<std::uint64_t> SealedFile::State::count() {
    std::array<std::uint8_t, kCounterBytes> bytes{};
    // A short file is one that nobody changed yet.
    TRY(counter->read_at(0, bytes));
    return load_be<std::uint64_t>(bytes.data());
}

Result<Bytes> SealedFile::State::load() {
    const Result<Bytes> bytes = doors.disk.read_file(path, kBytesMax);
    if (!bytes && bytes.error().code == Code::NotFound) return Bytes{};
    if (!bytes) return std::unexpected(bytes.error());
    const bool ours = as_text(*bytes).starts_with(kMagic);
    const Result<Bytes> content =
        ours ? crypto::unbox(key, as_bytes(label), ByteView(*bytes).subspan(kMagic.size()))
             : Result<Bytes>(fail(Code::Corrupt, {}));
    if (!content)
        return fail(Code::Corrupt,
                    {"le fichier scellé est abîmé ou d'une autre clé : " + path,
                     "the sealed file is damaged or of another key: " + path},
                    {"rétablissez-le depuis une sauvegarde, avec la clé racine qui va avec",
                     "restore it from a backup, with the root key that belongs to it"});
    return content;
}

Status SealedFile::State::store(ByteView content) {
    if (content.size() > kBytesMax - 1024)
        return fail(Code::Full,
                    {"le fichier scellé serait trop grand", "the sealed file would be too large"},
                    {"fermez des comptes ou des sessions", "close accounts or sessions"});
    Bytes bytes = to_bytes(as_bytes(kMagic));
    append(bytes, crypto::box(key, as_bytes(label), content, doors.random));
    return doors.disk.replace_file(path, bytes);
}

Result<std::unique_ptr<FileLock>> SealedFile::State::lock() {
    const SteadyTime give_up = doors.clock.steady() + kLockWait;
    while (true) {
        Result<std::unique_ptr<FileLock>> held = doors.disk.lock(path + ".lock");
        if (held || held.error().code != Code::Busy || doors.clock.steady() >= give_up) return held;
        doors.clock.sleep_for(kLockPause);
    }
}

SealedFile::SealedFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
SealedFile::~SealedFile() = default;

Result<std::unique_ptr<SealedFile>> SealedFile::open(const Doors& doors, const std::string& dir,
                                                     const std::string& name,
                                                     const crypto::Secret32& key) {
    auto state = std::make_unique<State>(doors, dir, name, key);
    TRY_STATUS(doors.disk.make_dirs(dir));
    state->counter = TRY(doors.disk.open(state->path + ".count", Open::OpenOrCreate));
    std::unique_ptr<SealedFile> file(new SealedFile(std::move(state)));
    TRY(file->read());
    return file;
}

bool SealedFile::stale() {
    const std::scoped_lock lock(state_->mutex);
    const Result<std::uint64_t> count = state_->count();
    return !count || *count != state_->seen;  // what cannot be known is read again
}

Result<Bytes> SealedFile::read() {
    const std::scoped_lock lock(state_->mutex);
    // The counter first: a change in between makes the content newer than the count, which only
    // makes us read it once more.
    const std::uint64_t count = TRY(state_->count());
    Bytes content = TRY(state_->load());
    state_->seen = count;
    return content;
}

Status SealedFile::change(const std::function<Result<Bytes>(ByteView current)>& edit) {
    const std::scoped_lock lock(state_->mutex);
    const std::unique_ptr<FileLock> held = TRY(state_->lock());
    const std::uint64_t count = TRY(state_->count());
    const Bytes made = TRY(edit(TRY(state_->load())));
    TRY_STATUS(state_->store(made));
    std::array<std::uint8_t, kCounterBytes> bytes;
    store_be(bytes.data(), count + 1);
    // Not synced: who outlives a loss of power reads everything anew.
    TRY_STATUS(state_->counter->write_at(0, bytes));
    state_->seen = count + 1;
    return {};
}

}  // namespace hygie::access
