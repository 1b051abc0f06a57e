#include "sim/sim_content.h"

#include <algorithm>
#include <cstring>

namespace hygie::sim {
namespace {

/// Calls piece(page, offset in page, offset in range, size) for each page that [offset, offset +
/// size) touches.
template <typename Piece>
void for_each_page(std::uint64_t offset, std::size_t size, std::size_t page_bytes, Piece piece) {
    for (std::size_t done = 0; done < size;) {
        const std::size_t page = (offset + done) / page_bytes;
        const std::size_t within = (offset + done) % page_bytes;
        const std::size_t part = std::min(page_bytes - within, size - done);
        piece(page, within, done, part);
        done += part;
    }
}

}  // namespace

std::size_t SimContent::read(std::uint64_t offset, std::span<std::uint8_t> out) const {
    if (offset >= size_) return 0;
    const std::size_t size = std::min<std::uint64_t>(out.size(), size_ - offset);
    for_each_page(offset, size, kPageBytes,
                  [&](std::size_t page, std::size_t within, std::size_t done, std::size_t part) {
                      if (pages_[page] == nullptr)
                          std::memset(out.data() + done, 0, part);
                      else
                          std::memcpy(out.data() + done, pages_[page]->data() + within, part);
                  });
    return size;
}

void SimContent::write(std::uint64_t offset, ByteView bytes) {
    if (bytes.empty()) return;
    const std::uint64_t end = offset + bytes.size();
    if (end > size_) {
        past_sizes_.push_back(size_);
        set_size(end);
    }
    remember_sectors(offset, end);
    store(offset, bytes);
}

void SimContent::resize(std::uint64_t size) {
    if (size == size_) return;
    past_sizes_.push_back(size_);
    for_each_page(size, size < size_ ? size_ - size : 0, kPageBytes,
                  [&](std::size_t page, std::size_t, std::size_t done, std::size_t part) {
                      // A page of zeros looks the same cut or kept.
                      if (pages_[page] != nullptr)
                          remember_sectors(size + done, size + done + part);
                  });
    set_size(size);
}

void SimContent::sync() {
    past_sectors_.clear();
    past_sizes_.clear();
}

void SimContent::lose_sectors(Chance& chance) {
    choose_sectors(chance, Survival::draw(chance));
    past_sectors_.clear();
}

void SimContent::lose_power(Chance& chance) {
    const Survival survival = Survival::draw(chance);
    const std::uint64_t size = choose_size(chance, survival);
    // The largest first: a sector that a lost truncation had cut comes back.
    set_size(std::max(size, past_sizes_.empty() ? size_ : std::ranges::max(past_sizes_)));
    choose_sectors(chance, survival);
    set_size(size);
    sync();
}

/// Puts bytes in place, below the size, without a memory of what was there.
void SimContent::store(std::uint64_t offset, ByteView bytes) {
    for_each_page(offset, bytes.size(), kPageBytes,
                  [&](std::size_t page, std::size_t within, std::size_t done, std::size_t part) {
                      std::shared_ptr<Page>& place = pages_[page];
                      if (place == nullptr)
                          place = std::make_shared<Page>();
                      else if (place.use_count() > 1)
                          place = std::make_shared<Page>(*place);
                      std::memcpy(place->data() + within, bytes.data() + done, part);
                  });
}

void SimContent::remember_sectors(std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t at = begin / kSectorBytes; at * kSectorBytes < end; ++at) {
        Sector seen{};
        read(at * kSectorBytes, seen);
        past_sectors_[at].push_back(seen);
    }
}

void SimContent::choose_sectors(Chance& chance, Survival survival) {
    for (const auto& [at, versions] : past_sectors_) {
        if (at * kSectorBytes >= size_ || survival.keeps(chance)) continue;
        const Sector& kept =
            survival.eighths == 0 ? versions.front() : versions[chance.below(versions.size())];
        const std::size_t size = std::min<std::uint64_t>(kSectorBytes, size_ - at * kSectorBytes);
        store(at * kSectorBytes, ByteView(kept).first(size));
    }
}

std::uint64_t SimContent::choose_size(Chance& chance, Survival survival) const {
    if (past_sizes_.empty() || survival.keeps(chance)) return size_;
    if (survival.eighths == 0) return past_sizes_.front();
    const std::uint64_t past = past_sizes_[chance.below(past_sizes_.size())];
    if (chance.odds(1, 2)) return past;
    // Growth reaches the disk block by block.
    const auto [low, high] = std::minmax(past, size_);
    const std::uint64_t between = low + chance.below(high - low + 1);
    return std::max(low, between / kSectorBytes * kSectorBytes);
}

/// Bytes past the size are always zeros, so that growing again shows zeros.
void SimContent::set_size(std::uint64_t size) {
    if (size < size_) {
        const std::uint64_t page = size / kPageBytes;
        if (page < pages_.size() && pages_[page] != nullptr) {
            const Bytes zeros(std::min<std::uint64_t>((page + 1) * kPageBytes, size_) - size);
            store(size, zeros);
        }
    }
    pages_.resize((size + kPageBytes - 1) / kPageBytes);
    size_ = size;
}

}  // namespace hygie::sim
