#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/chance.h"
#include "sim/sim_content.h"

namespace hygie::sim {

/// The names and nodes of a simulated disk: what programs see, what is durable, and the changes in
/// between. Knows nothing of faults or open files. Copies are cheap: nodes are shared until edited.
class SimTree {
  public:
    using Id = std::uint64_t;
    static constexpr Id kNone = 0;
    static constexpr Id kRoot = 1;

    struct Node {
        bool is_dir = false;
        SimContent content;               ///< of a file
        std::map<std::string, Id> names;  ///< of a directory, as seen
        std::map<std::string, Id> durable_names;
    };
    /// `name` in `dir` comes to mean `target`; kNone removes it.
    struct Naming {
        Id dir;
        std::string name;
        Id target;
    };

    SimTree();

    std::optional<Id> find(std::string_view path) const;
    const Node& at(Id id) const { return *nodes_.at(id); }
    Node& edit(Id id);
    Id make_node(bool is_dir);
    /// Seen at once; survives a loss of power as a whole or not at all, until sync_names.
    void change(std::vector<Naming> namings);
    void sync_names(Id dir);
    /// `top` and every node seen below it.
    std::set<Id> below(Id top) const;
    void lose_power(Chance& chance);
    /// Forgets nodes that no name, seen or durable or pending, and none of `open` can reach.
    void collect_garbage(std::set<Id> open);
    /// Bytes of all files seen.
    std::uint64_t total_bytes() const;

  private:
    std::map<Id, std::shared_ptr<Node>> nodes_;
    Id next_id_ = kRoot + 1;
    std::vector<std::vector<Naming>> pending_;
};

}  // namespace hygie::sim
