#include "guards/files/judge/readers.h"

namespace hygie::files {

void Readers::note(const FileKey& file, const std::string& actor, SteadyTime now) {
    if (readers_.size() >= kActorsMax && !readers_.contains(actor))
        std::erase_if(readers_, [&](const auto& entry) {
            return entry.second.last.empty() || now - entry.second.last.back() > kMemory;
        });
    if (readers_.size() >= kActorsMax && !readers_.contains(actor)) readers_.clear();
    Reader& reader = readers_[actor];
    if (reader.files.size() >= kFilesMax)
        std::erase_if(reader.files, [&](const auto& item) { return now - item.second > kMemory; });
    if (reader.files.size() >= kFilesMax) reader.files.clear();
    const bool is_new = reader.files.insert_or_assign(file, now).second;
    if (!is_new) return;
    reader.last.push_back(now);
    if (reader.last.size() > kCollectionMin) reader.last.pop_front();
}

bool Readers::has_read(const FileKey& file, const std::string& actor, SteadyTime now) const {
    const auto reader = readers_.find(actor);
    if (reader == readers_.end()) return false;
    const auto known = reader->second.files.find(file);
    return known != reader->second.files.end() && now - known->second <= kMemory;
}

bool Readers::has_read_many(const std::string& actor, SteadyTime now) const {
    return has_read_of_late(kManyMin, actor, now);
}

bool Readers::has_read_collection(const std::string& actor, SteadyTime now) const {
    return has_read_of_late(kCollectionMin, actor, now);
}

bool Readers::has_read_of_late(std::size_t files, const std::string& actor, SteadyTime now) const {
    const auto reader = readers_.find(actor);
    if (reader == readers_.end() || reader->second.last.size() < files) return false;
    return now - *(reader->second.last.end() - static_cast<std::ptrdiff_t>(files)) <= kMemory;
}

}  // namespace hygie::files
