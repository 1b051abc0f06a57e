#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "event/event.h"
#include "vault/prepare.h"

namespace hygie::vault {

/// Which machine and program commits are reported as.
struct Origin {
    SourceId source;
    NodeId node;
};

/// How many there are, and the number of the next commit; part of every batch.
struct VaultState {
    std::uint64_t next_counter = 1;
    std::uint64_t resources = 0;
    std::uint64_t versions = 0;
    std::uint64_t records = 0;
};
Bytes encode_state(const VaultState& state);
Result<VaultState> decode_state(ByteView bytes);

struct GroupDoors {
    Shelf& shelf;
    Clock& clock;
    Random& random;
    Numbers& numbers;
    const Origin& origin;
};

/// Transactions that are stored together. Each sees those admitted before it; none is seen by
/// readers before publish().
class Group {
  public:
    Group(const GroupDoors& doors, VaultState state) : doors_(doors), state_(state) {}

    /// Adds a transaction, prepared again when what it was prepared on has changed since. An error
    /// leaves the group as it was.
    Status admit(Prepared& prepared, const std::string& author, event::Event& event);
    /// Adds an event with rows of its own to change.
    Status admit(event::Event& event, Batch rows);
    /// The rows of all that was admitted. Once.
    Result<Batch> finish();
    /// Shows the new records to readers, once the rows are durable.
    void publish();

    const VaultState& state() const { return state_; }
    VaultState& state() { return state_; }

  private:
    struct Touched {
        std::shared_ptr<const Record> before;
        Record after;
    };

    Result<std::optional<Known>> known(Key place, std::string_view type, std::string_view id);
    Result<bool> still_holds(const Prepared& prepared);
    Status prepare_again(Prepared& prepared, const std::string& author);
    Status number(event::Event& event);
    Status open_records(Prepared& prepared);
    void store(Prepared& prepared);
    void store(const PreparedWrite& write);
    Status store_pieces(Touched& touched);

    GroupDoors doors_;
    VaultState state_;
    Batch batch_;
    std::map<Key, Known> newest_;  ///< by place: what this group has changed
    std::map<CompartmentNumber, Touched> records_;
};

}  // namespace hygie::vault
