#include "guards/records/desk/exports.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/aead.h"

namespace hygie::records {

namespace {

constexpr std::uint64_t kPartBytesMax = 32 << 20;
constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kIdDigits = 2 * kIdBytes;

std::string path_of(const Export& one, const ExportPart& part) {
    return join(one.dir, part.name);
}

/// Binds a chunk to its place, so that chunks cannot trade places.
std::string label_of(const ExportPart& part, std::size_t chunk) {
    return fmt::format("{}/{}", part.name, chunk);
}

ExportPart& part_for(Export& one, std::string_view type) {
    std::size_t number = 1;
    for (ExportPart& part : one.parts) {
        if (part.type != type) continue;
        if (part.bytes < kPartBytesMax) return part;
        ++number;
    }
    return one.parts.emplace_back(
        ExportPart{.type = std::string(type), .name = fmt::format("{}-{}", type, number)});
}

std::uint64_t sealed_bytes(const ExportPart& part) {
    std::uint64_t sum = 0;
    for (const std::uint32_t size : part.chunks) sum += size;
    return sum;
}

}  // namespace

Exports::Exports(Desk& desk) : desk_(desk) {
    Disk& disk = desk.rooms.disk;
    const std::string& dir = desk.options.export_dir;
    const auto left = dir.empty() ? Result<std::vector<DirEntry>>() : disk.list(dir);
    for (const DirEntry& one : left.value_or(std::vector<DirEntry>())) {
        if (!one.is_dir || one.name.size() != kIdDigits || !from_hex(one.name)) continue;
        const std::string old = join(dir, one.name);
        for (const DirEntry& part : disk.list(old).value_or(std::vector<DirEntry>()))
            if (!part.is_dir) (void)disk.remove(join(old, part.name));
        (void)disk.remove(old);
    }
}

Exports::~Exports() {
    while (!exports_.empty()) remove(exports_.begin()->second);
}

Result<std::shared_ptr<Export>> Exports::start(const Call& call) {
    const WallTime now = desk_.rooms.clock.now();
    drop_old(now);
    auto one = std::make_shared<Export>();
    one->id = to_hex(desk_.rooms.random.bytes<kIdBytes>());
    one->owner = call.actor.id;
    const std::string& base = desk_.options.base;
    one->request = base.substr(0, base.size() - desk_.base_path.size()) + call.asked;
    one->started = now;
    desk_.rooms.random.fill(one->key.mutable_view());
    one->dir = join(desk_.options.export_dir, one->id);
    const std::lock_guard lock(mutex_);
    const auto own = std::ranges::count_if(
        exports_, [&](const auto& entry) { return entry.second->owner == call.actor.id; });
    if (static_cast<std::size_t>(own) >= kPerActorMax)
        return fail(Code::Full, {"trop d'exports en cours", "too many exports under way"},
                    {"supprimez-en un par DELETE", "remove one of them by DELETE"});
    TRY_STATUS(desk_.rooms.disk.make_dirs(one->dir));
    exports_.emplace(one->id, one);
    return one;
}

std::shared_ptr<Export> Exports::find(const ActorId& owner, const std::string& id) {
    drop_old(desk_.rooms.clock.now());
    const std::lock_guard lock(mutex_);
    const auto found = exports_.find(id);
    return found == exports_.end() || found->second->owner != owner ? nullptr : found->second;
}

// By value: the list forgets its own share first.
void Exports::remove(std::shared_ptr<Export> one) {
    {
        const std::lock_guard lock(mutex_);
        exports_.erase(one->id);
    }
    const std::lock_guard lock(one->mutex);
    one->cancelled = true;
    // What stays behind is sealed under a key that is gone with the export.
    for (const ExportPart& part : one->parts) (void)desk_.rooms.disk.remove(path_of(*one, part));
    (void)desk_.rooms.disk.remove(one->dir);
}

void Exports::drop_old(WallTime now) {
    std::vector<std::shared_ptr<Export>> old;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, one] : exports_) {
            if (now - one->started > kKept) old.push_back(one);
        }
    }
    for (const auto& one : old) remove(one);
}

Status append_part(Desk& desk, Export& one, std::string_view type, std::string_view lines,
                   std::uint64_t count) {
    const std::lock_guard lock(one.mutex);
    if (one.cancelled)
        return fail(Code::NotFound, {"export supprimé", "export removed"},
                    {"relancez-le", "start it again"});
    ExportPart& part = part_for(one, type);
    const Bytes sealed = crypto::box(one.key, as_bytes(label_of(part, part.chunks.size())),
                                     as_bytes(lines), desk.rooms.random);
    auto file = TRY(desk.rooms.disk.open(path_of(one, part), Open::OpenOrCreate));
    TRY_STATUS(file->write_at(sealed_bytes(part), sealed));
    part.chunks.push_back(static_cast<std::uint32_t>(sealed.size()));
    part.bytes += lines.size();
    part.count += count;
    return {};
}

Result<Bytes> read_part(Desk& desk, const Export& one, const ExportPart& part) {
    auto file = TRY(desk.rooms.disk.open(path_of(one, part), Open::Read));
    Bytes all;
    all.reserve(part.bytes);
    std::uint64_t offset = 0;
    for (std::size_t i = 0; i < part.chunks.size(); ++i) {
        Bytes sealed(part.chunks[i]);
        const std::size_t got = TRY(file->read_at(offset, sealed));
        sealed.resize(got);
        append(all, TRY(crypto::unbox(one.key, as_bytes(label_of(part, i)), sealed)));
        offset += part.chunks[i];
    }
    return all;
}

}  // namespace hygie::records
