#include "guards/files/enforce/canaries.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "crypto/sha256.h"
#include "guards/files/acts/volume.h"
#include "host/os_error.h"
#include "host/unique_fd.h"

namespace hygie::files {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kDocumentBytesMax = 1 << 20;

/// Names of every practice's drawers.
constexpr std::array<std::string_view, 6> kFirst = {"00 Bilan",  "00 Synthèse",   "00 Index",
                                                    "00 Compta", "00 Assurances", "00 Contrats"};
constexpr std::array<std::string_view, 6> kLast = {"zz Courriers", "zz Archives", "zz Factures",
                                                   "zz Copies",    "zz Relances", "zz Divers"};

/// Every folder below, itself first, none whose name hides it.
std::vector<std::string> folders_below(const std::string& dir) {
    std::vector<std::string> folders{dir};
    std::error_code error;
    fs::recursive_directory_iterator entry(dir, fs::directory_options::skip_permission_denied,
                                           error);
    for (; !error && entry != fs::recursive_directory_iterator() &&
           folders.size() < Canaries::kWalkMax;
         entry.increment(error)) {
        std::error_code ignored;
        if (entry->is_symlink(ignored) || !entry->is_directory(ignored)) continue;
        if (entry->path().filename().string().starts_with('.'))
            entry.disable_recursion_pending();
        else
            folders.push_back(entry->path().string());
    }
    return folders;
}

/// Made for whom the folder is for; Code::AlreadyThere is no failure of ours but somebody's file.
Status write_for_others(const std::string& path, const struct stat& folder, ByteView bytes,
                        std::int64_t modified) {
    const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd) return os_failure(errno, parent(path));
    const std::array<timespec, 2> times{{{modified, 0}, {modified, 0}}};
    const bool done =
        ::write(fd.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
        ::fchown(fd.get(), folder.st_uid, folder.st_gid) == 0 &&
        ::fchmod(fd.get(), folder.st_mode & 0666) == 0 && ::futimens(fd.get(), times.data()) == 0;
    if (done) return {};
    const int error = errno;
    ::unlink(path.c_str());
    return os_failure(error, parent(path));
}

}  // namespace

std::size_t Canaries::below(std::size_t end) {
    return load_be<std::uint64_t>(random_.bytes<8>().data()) % end;
}

Canaries::Health Canaries::health_of(const Canary& canary) {
    struct stat info{};
    if (::lstat(canary.path.c_str(), &info) < 0 || !S_ISREG(info.st_mode)) return Health::Missing;
    const auto bytes = disk_.read_file(canary.path, kDocumentBytesMax);
    return bytes && to_hex(crypto::sha256(*bytes)) == canary.sha256 ? Health::Standing
                                                                    : Health::Changed;
}

/// Those that stand; the others are counted.
Result<std::vector<Canary>> Canaries::sorted_out(CanaryCount& count) {
    std::vector<Canary> standing;
    for (Canary& canary : TRY(state_.load_canaries())) {
        const Health health = health_of(canary);
        count.standing += health == Health::Standing;
        count.missing += health == Health::Missing;
        count.changed += health == Health::Changed;
        if (health == Health::Standing) standing.push_back(std::move(canary));
    }
    return standing;
}

/// The first and the last, as programs meet them, and others by chance.
std::vector<std::string> Canaries::choose(std::vector<std::string> folders, std::size_t count) {
    std::ranges::sort(folders);
    if (folders.size() <= count) return folders;
    std::vector<std::string> chosen{folders.front()};
    if (count > 1) chosen.push_back(folders.back());
    for (std::size_t i = 1; chosen.size() < count; ++i) {
        std::swap(folders[i], folders[i + below(folders.size() - 1 - i)]);
        chosen.push_back(folders[i]);
    }
    return chosen;
}

Status Canaries::plant_in(const std::string& folder, std::vector<Canary>& canaries,
                          CanaryCount& count) {
    struct stat info{};
    if (::lstat(folder.c_str(), &info) < 0 || !S_ISDIR(info.st_mode)) return {};
    constexpr std::int64_t kDaySeconds = 86'400;
    constexpr std::size_t kAgeDaysMax = 700;
    constexpr int kNamesTried = 16;
    for (const bool first : {true, false}) {
        const auto here = [&](const Canary& canary) {
            return parent(canary.path) == folder && canary.path.ends_with(".docx") == first;
        };
        if (std::ranges::any_of(canaries, here)) continue;
        const Bytes bytes = first ? canary_document(random_) : canary_pdf(random_);
        const auto& words = first ? kFirst : kLast;
        const auto age = static_cast<std::int64_t>(below(kAgeDaysMax) + 1) * kDaySeconds +
                         static_cast<std::int64_t>(below(kDaySeconds));
        // A name may be somebody's.
        for (int tried = 0; tried < kNamesTried; ++tried) {
            const std::string path =
                join(folder, fmt::format("{} {}.{}", words[below(words.size())], 2019 + below(6),
                                         first ? "docx" : "pdf"));
            const Status written = write_for_others(path, info, bytes, info.st_mtim.tv_sec - age);
            if (!written && written.error().code == Code::AlreadyThere) continue;
            if (!written) return written;
            canaries.push_back({path, to_hex(crypto::sha256(bytes))});
            ++count.planted;
            break;
        }
    }
    return {};
}

Result<CanaryCount> Canaries::plant(const std::vector<std::string>& dirs, std::size_t folders) {
    CanaryCount count;
    std::vector<Canary> canaries = TRY(sorted_out(count));
    std::set<std::string> chosen;
    for (const Canary& canary : canaries) chosen.insert(parent(canary.path));
    for (const std::string& dir : dirs) {
        std::error_code error;
        const fs::path real = fs::canonical(dir, error);
        if (error) return os_failure(error.value(), dir);
        const std::size_t wanted = std::min(folders, kFoldersMax);
        const std::size_t have = static_cast<std::size_t>(std::ranges::count_if(
            chosen, [&](const std::string& folder) { return is_inside(folder, real.string()); }));
        if (have >= wanted) continue;
        for (std::string& folder : choose(folders_below(real.string()), wanted - have))
            chosen.insert(std::move(folder));
    }
    Status planted;
    for (const std::string& folder : chosen)
        if (planted) planted = plant_in(folder, canaries, count);
    // Those that were planted are known, whatever became of the others.
    TRY_STATUS(state_.save_canaries(canaries));
    TRY_STATUS(state_.give({GuardOrder::Kind::Canaries, {}}));
    TRY_STATUS(planted);
    return count;
}

Result<CanaryCount> Canaries::remove() {
    CanaryCount count;
    const std::vector<Canary> canaries = TRY(sorted_out(count));
    TRY_STATUS(state_.save_canaries({}));
    TRY_STATUS(state_.give({GuardOrder::Kind::Canaries, {}}));
    for (const Canary& canary : canaries) {
        TRY_STATUS(disk_.remove(canary.path));
        ++count.removed;
    }
    count.standing = 0;
    return count;
}

Result<CanaryCount> Canaries::look() {
    CanaryCount count;
    TRY(sorted_out(count));
    return count;
}

}  // namespace hygie::files
