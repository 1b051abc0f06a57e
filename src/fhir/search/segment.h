#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "fhir/search/search_value.h"

/// The index of one compartment, in immutable pieces: what its resources are and the values by
/// which search finds them (FORMAT.md). Pure: sealing and storing is the caller's.
namespace hygie::fhir {

/// The newest version of a resource, known without its body. Views live as long as the Segment (or
/// what the caller built it from).
struct ResourceEntry {
    std::string_view type;
    std::string_view id;
    std::uint32_t version = 0;
    WallTime updated{};
    bool deleted = false;
    std::uint64_t body = 0;  ///< where its body is; means nothing here
    bool operator==(const ResourceEntry&) const = default;
};

/// One value by which a resource is found. A composite value is several rows in sequence, of the
/// same parameter, with parts 1, 2…; any other has part 0.
struct IndexRow {
    std::uint16_t param = 0;  ///< SearchParam::number
    std::uint8_t part = 0;
    SearchValue value;
};

struct IndexedResource {
    ResourceEntry entry;
    std::vector<IndexRow> rows;  ///< none when deleted
};

/// One piece: immutable, shared between threads. Its entries are always at hand; the values of a
/// type are opened when that type is first asked about, and stay open as long as the piece.
class Segment {
  public:
    /// Of several versions of a resource the highest one is kept.
    static Segment build(std::span<const IndexedResource> resources);
    Segment(Segment&&) noexcept;
    Segment& operator=(Segment&&) noexcept;
    ~Segment();

    /// In the order of type, then id.
    std::size_t size() const;
    ResourceEntry entry(std::size_t index) const;
    std::optional<std::size_t> find(std::string_view type, std::string_view id) const;
    /// First and one past the last entry of a type; equal when there is none.
    std::pair<std::size_t, std::size_t> range_of(std::string_view type) const;
    /// Whether any resource in it has a value of that token parameter.
    bool has_codes(std::uint16_t param) const;
    /// The codes by which a resource is found through a token parameter; each may come twice.
    std::vector<std::string_view> codes(std::size_t index, std::uint16_t param) const;
    /// All references to resources of a type: which entry has it (each in sequence), and the id.
    std::vector<std::pair<std::size_t, std::string_view>> references_to(
        std::string_view type) const;
    /// What it was built from (rows in another order). Views live as long as the Segment.
    std::vector<IndexedResource> resources() const;
    /// Of one type, in the order of range_of().
    std::vector<IndexedResource> resources(std::string_view type) const;
    /// Whether values were met that do not read back, though their seal was whole: what was found
    /// here is worth nothing then, and the index is to be made anew.
    bool is_damaged() const;
    /// What it occupies in memory now: opening values makes it more.
    std::size_t bytes() const;

    /// The inside, for search_run (segment_data.h).
    struct Data;
    const Data& data() const { return *data_; }

  private:
    friend Result<Segment> decode(ByteView bytes);
    explicit Segment(std::unique_ptr<const Data> data);
    std::unique_ptr<const Data> data_;
};

/// Compressed, to be sealed by the caller.
Bytes encode(const Segment& segment);
/// Convenience: build, then encode.
Bytes encode(std::span<const IndexedResource> resources);
/// Code::Corrupt when the bytes are no segment; Code::Stale when they were made with another format
/// or other definitions (definitions_version), so that the index must be made anew from the bodies.
/// The bytes come out of a seal: their sizes are checked here, their values when they are opened
/// (Segment::is_damaged).
Result<Segment> decode(ByteView bytes);

/// The pieces of one compartment, oldest first, seen as one: the newest version of a resource hides
/// all others, also when it says "deleted". An immutable value that is cheap to copy.
class Compartment {
  public:
    struct Piece {
        std::shared_ptr<const Segment> segment;
        std::vector<std::uint64_t> live;  ///< bit per entry: newest, and not deleted
        bool is_live(std::size_t index) const {
            return (live[index / 64] >> (index % 64) & 1) != 0;
        }
    };

    Compartment() = default;
    /// This and a newer piece. Costs the size of the new piece, not of the old ones.
    Compartment with(std::shared_ptr<const Segment> newer) const;
    /// All pieces in one; what is deleted keeps its entry and has no rows.
    Segment merged() const;
    /// This without the live resources that are hidden: searches neither find nor count them.
    Compartment without(
        const std::function<bool(const Segment& segment, std::size_t index)>& hidden) const;

    std::span<const Piece> pieces() const { return pieces_; }
    /// The newest entry, deleted or not.
    std::optional<ResourceEntry> find(std::string_view type, std::string_view id) const;
    /// Live ones of a type, or of all when empty.
    std::vector<ResourceEntry> entries(std::string_view type) const;
    /// Those that have an entry, each once.
    std::set<std::string_view> types() const;
    std::size_t live_count() const;
    /// Whether any piece is (Segment::is_damaged).
    bool is_damaged() const;
    std::size_t bytes() const;

  private:
    std::vector<Piece> pieces_;
};

}  // namespace hygie::fhir
