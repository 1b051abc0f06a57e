#include "guards/files/judge/sources.h"

#include <algorithm>

#include "guards/files/judge/circle.h"

namespace hygie::files {
namespace {

constexpr std::size_t kBlockBytes = 64 << 10;

bool read_block(const Content& content, std::uint64_t at, Bytes& block) {
    const Result<std::size_t> got = content.read_at(at, block);
    return got && *got == block.size();
}

/// Each byte is the source's; of one that is not closed, or still what it was.
bool is_from(const Change& written, const Content& source) {
    const std::uint64_t size = source.size();
    if (written.now->size() != size || size > Sources::kBytesMax) return false;
    const bool may_be_half = written.is_open && written.before && written.before->size() == size;
    Bytes now;
    Bytes wanted;
    for (std::uint64_t at = 0; at < size; at += now.size()) {
        now.resize(std::min<std::uint64_t>(kBlockBytes, size - at));
        wanted.resize(now.size());
        if (!read_block(*written.now, at, now) || !read_block(source, at, wanted)) return false;
        if (now == wanted) continue;
        Bytes before(now.size());
        if (!may_be_half || !read_block(*written.before, at, before)) return false;
        for (std::size_t i = 0; i < now.size(); ++i)
            if (now[i] != wanted[i] && now[i] != before[i]) return false;
    }
    return true;
}

}  // namespace

void Sources::note(const Change& read) {
    if (!read.before || read.is_new) return;
    const std::string key = read.actor.key();
    if (read_.size() >= kActorsMax && !read_.contains(key)) read_.clear();
    auto& sources = read_[key];
    std::erase_if(sources, [&](const Source& old) {
        return old.file == read.file || read.steady - old.at > kMemory;
    });
    if (sources.size() >= kFilesMax) sources.pop_front();
    sources.push_back({read.steady, read.file, std::string(name_part(read.path)), read.before});
}

bool Sources::gave(const Change& written) const {
    const auto known = read_.find(written.actor.key());
    if (known == read_.end() || !written.now) return false;
    return std::ranges::any_of(known->second, [&](const Source& source) {
        return source.file != written.file && source.name == name_part(written.path) &&
               written.steady - source.at <= kMemory && is_from(written, *source.content);
    });
}

}  // namespace hygie::files
