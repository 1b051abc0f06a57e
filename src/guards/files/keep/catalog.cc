#include "guards/files/keep/catalog.h"

#include <sys/stat.h>

namespace hygie::files {

std::optional<Known> Catalog::find(const FileKey& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(key);
    if (found == files_.end()) return std::nullopt;
    return found->second;
}

std::optional<FileKey> Catalog::at(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    const auto found = names_.find(path);
    if (found == names_.end()) return std::nullopt;
    return found->second;
}

/// Gives `path` to `key`; returns whom it was taken from. Under the lock.
std::optional<FileKey> Catalog::name(const FileKey& key, const std::string& path) {
    std::optional<FileKey> before;
    FileKey& owner = names_[path];
    if (!owner.empty() && owner != key) {
        before = owner;
        if (const auto lost = files_.find(owner); lost != files_.end() && lost->second.path == path)
            lost->second.is_named = false;
    }
    owner = key;
    return before;
}

std::optional<FileKey> Catalog::set(const FileKey& key, Known known) {
    const std::lock_guard lock(mutex_);
    known.is_named = true;
    const std::optional<FileKey> before = name(key, known.path);
    files_[key] = std::move(known);
    return before;
}

void Catalog::set_nameless(const FileKey& key, Known known) {
    const std::lock_guard lock(mutex_);
    known.is_named = false;
    files_[key] = std::move(known);
}

void Catalog::update(const FileKey& key, const std::function<void(Known&)>& change) {
    const std::lock_guard lock(mutex_);
    if (const auto found = files_.find(key); found != files_.end()) change(found->second);
}

bool Catalog::remove_name(const FileKey& key, const std::string& path) {
    const std::lock_guard lock(mutex_);
    const auto found = names_.find(path);
    if (found == names_.end() || found->second != key) return false;
    names_.erase(found);
    if (const auto file = files_.find(key); file != files_.end() && file->second.path == path)
        file->second.is_named = false;
    return true;
}

/// Under the lock.
bool Catalog::is_folder(const FileKey& key) const {
    const auto file = files_.find(key);
    return file != files_.end() && file->second.type == FileType::Folder;
}

/// Takes out all names inside a folder, and gives what they are called in another. Under the lock.
std::vector<Catalog::Renamed> Catalog::take_below(const std::string& from, const std::string& to) {
    const std::string prefix = from + '/';
    std::vector<Renamed> taken;
    auto it = names_.lower_bound(prefix);
    while (it != names_.end() && it->first.starts_with(prefix)) {
        taken.push_back({it->first, to + '/' + it->first.substr(prefix.size()), it->second});
        it = names_.erase(it);
    }
    return taken;
}

/// Renames all names inside a folder. Nobody renames a folder over one that holds anything: what is
/// known there belongs to one that changes places with it. Under the lock.
void Catalog::move_below(const std::string& from, const std::string& to) {
    for (const auto& renamed : {take_below(from, to), take_below(to, from)})
        for (const auto& [was, is, key] : renamed) {
            names_[is] = key;
            const auto file = files_.find(key);
            if (file != files_.end() && file->second.path == was) file->second.path = is;
        }
}

std::optional<FileKey> Catalog::move(const FileKey& key, const std::string& from,
                                     const std::string& to) {
    const std::lock_guard lock(mutex_);
    // In an exchange the old name leads to the other file already; when that is a folder too, all
    // below both is as it will be.
    const auto found = names_.find(from);
    const bool is_exchanged =
        found != names_.end() && found->second != key && is_folder(found->second);
    if (found != names_.end() && found->second == key) names_.erase(found);
    const std::optional<FileKey> before = name(key, to);
    const auto file = files_.find(key);
    if (file == files_.end()) return before;
    file->second.path = to;
    file->second.is_named = true;
    if (is_folder(key) && !from.empty() && !is_exchanged && from != to) move_below(from, to);
    return before;
}

void Catalog::forget(const FileKey& key) {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(key);
    if (found != files_.end() && !found->second.is_named) files_.erase(found);
}

std::size_t Catalog::size() const {
    const std::lock_guard lock(mutex_);
    return names_.size();
}

std::vector<std::pair<std::string, FileKey>> Catalog::names() const {
    const std::lock_guard lock(mutex_);
    return {names_.begin(), names_.end()};
}

std::vector<std::pair<std::string, FileKey>> Catalog::names_below(const std::string& folder) const {
    const std::string prefix = folder + '/';
    std::vector<std::pair<std::string, FileKey>> below;
    const std::lock_guard lock(mutex_);
    for (auto it = names_.lower_bound(prefix); it != names_.end() && it->first.starts_with(prefix);
         ++it)
        below.push_back(*it);
    return below;
}

/// What a record of the present says of its file, with what only earlier ones said.
Known Catalog::known_by(const Record& record) const {
    const std::optional<Known> before = find(record.key);
    Known known;
    known.path = record.path;
    known.type = record.type;
    known.version = record.time;
    known.size = record.size;
    known.place = record.place;
    known.meta = record.meta;
    known.held = {record.size, record.meta.modified_ns, record.changed_ns};
    known.is_held = record.place != Place::Linked;
    known.is_linked = record.place == Place::Linked;
    known.link_version = known.is_linked ? record.time : 0;
    if (before && before->is_linked) {
        known.is_linked = true;
        known.link_version = before->link_version;
    }
    known.committed = record.time;
    known.committed_size = record.size;
    if (record.cause == Cause::PreImage) {
        known.committed = before ? before->committed : 0;
        known.committed_size = before ? before->committed_size : 0;
    }
    return known;
}

void Catalog::apply(const Record& record) {
    switch (record.kind) {
        case RecordKind::Present:
            set(record.key, known_by(record));
            break;
        case RecordKind::Gone:
            remove_name(record.key, record.path);
            forget(record.key);
            break;
        case RecordKind::Moved:
            move(record.key, record.from, record.path);
            break;
        case RecordKind::Attributes:
            update(record.key, [&](Known& known) {
                known.meta = record.meta;
                known.held.changed_ns = record.changed_ns;
            });
            break;
        case RecordKind::Sealed:
            update(record.key, [&](Known& known) {
                // Its second name went with the staged bytes.
                if (known.link_version == record.version) known.is_linked = false;
                if (known.version != record.version) return;
                known.place = Place::Packed;
                known.is_held = true;
            });
            break;
        case RecordKind::Dropped:
            update(record.key, [&](Known& known) {
                if (known.link_version == record.version) known.is_linked = false;
            });
            break;
        case RecordKind::Committed:
            update(record.key, [&](Known& known) {
                known.committed = record.version;
                known.committed_size = record.size;
            });
            break;
        default:
            break;
    }
}

}  // namespace hygie::files
