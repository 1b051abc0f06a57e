#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include "base/check.h"
#include "guards/files/backup/backup.h"

/// The manifest of a copy: FORMAT_JUDGE.md, "manifest".
namespace hygie::files {
namespace {

constexpr std::size_t kReadBytes = 1 << 20;
constexpr std::size_t kDepthMax = 256;

/// SHA-256 of a file too large for memory.
class FileHash {
  public:
    FileHash() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
        HYGIE_CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1, "no SHA-256");
    }
    void update(ByteView bytes) {
        HYGIE_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "SHA-256");
    }
    std::string finish() {
        std::array<std::uint8_t, 32> hash{};
        HYGIE_CHECK(EVP_DigestFinal_ex(context_.get(), hash.data(), nullptr) == 1, "SHA-256");
        return to_hex(hash);
    }

  private:
    std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

Result<ManifestEntry> entry_of(Disk& disk, const std::string& path) {
    const auto file = TRY(disk.open(path, Open::Read));
    FileHash hash;
    Bytes block(kReadBytes);
    ManifestEntry entry{.path = path, .size = 0, .sha256 = {}};
    for (;;) {
        const std::size_t got = TRY(file->read_at(entry.size, block));
        if (got == 0) break;
        hash.update(ByteView(block).first(got));
        entry.size += got;
    }
    entry.sha256 = hash.finish();
    return entry;
}

Status walk(Disk& disk, const std::string& dir, std::size_t depth,
            std::vector<ManifestEntry>& entries) {
    if (depth > kDepthMax) return {};
    const auto listed = disk.list(dir);
    if (!listed && listed.error().code == Code::NotFound) return {};  // gone meanwhile
    if (!listed) return std::unexpected(listed.error());
    for (const DirEntry& one : *listed) {
        const std::string path = join(dir, one.name);
        if (one.is_dir) {
            TRY_STATUS(walk(disk, path, depth + 1, entries));
            continue;
        }
        // A link, a socket, or gone meanwhile: nothing to compare.
        if (auto entry = entry_of(disk, path)) entries.push_back(std::move(*entry));
    }
    return {};
}

}  // namespace

Result<std::vector<ManifestEntry>> take_manifest(Disk& disk, const std::vector<std::string>& dirs) {
    std::vector<ManifestEntry> entries;
    for (const std::string& dir : dirs) TRY_STATUS(walk(disk, dir, 0, entries));
    std::ranges::sort(entries, {}, &ManifestEntry::path);
    return entries;
}

std::string print_manifest(const std::vector<ManifestEntry>& entries) {
    std::string text;
    for (const ManifestEntry& entry : entries)
        text += fmt::format("{} {} {} {}", entry.sha256, entry.size, entry.settled ? '=' : '~',
                            entry.path) +
                '\0';
    return text;
}

Result<std::vector<ManifestEntry>> parse_manifest(std::string_view text) {
    std::vector<ManifestEntry> entries;
    const auto damaged = [] {
        return fail(Code::Corrupt, {"un manifeste est abîmé", "a manifest is damaged"},
                    {"refaites une sauvegarde", "make another backup"});
    };
    while (!text.empty()) {
        const std::size_t end = text.find('\0');
        if (end == std::string_view::npos) return damaged();
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 1);
        constexpr std::size_t kHash = 64;
        const std::size_t space = line.find(' ', kHash + 1);
        if (line.size() < kHash + 2 || line[kHash] != ' ' || space == std::string_view::npos ||
            line.size() < space + 4)
            return damaged();
        ManifestEntry entry;
        entry.sha256 = line.substr(0, kHash);
        const char* const number_end = line.data() + space;
        if (std::from_chars(line.data() + kHash + 1, number_end, entry.size).ptr != number_end)
            return damaged();
        entry.settled = line[space + 1] == '=';
        entry.path = line.substr(space + 3);
        entries.push_back(std::move(entry));
    }
    return entries;
}

}  // namespace hygie::files
