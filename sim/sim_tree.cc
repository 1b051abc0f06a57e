#include "sim/sim_tree.h"

#include <ranges>

#include "base/check.h"

namespace hygie::sim {
namespace {

void apply(std::map<std::string, SimTree::Id>& names, const SimTree::Naming& naming) {
    if (naming.target == SimTree::kNone)
        names.erase(naming.name);
    else
        names[naming.name] = naming.target;
}

}  // namespace

SimTree::SimTree() {
    nodes_[kRoot] = std::make_shared<Node>();
    nodes_[kRoot]->is_dir = true;
}

std::optional<SimTree::Id> SimTree::find(std::string_view path) const {
    Id at_id = kRoot;
    while (!path.empty()) {
        const std::size_t slash = path.find('/');
        const std::string_view name = path.substr(0, slash);
        path = slash == std::string_view::npos ? "" : path.substr(slash + 1);
        if (name.empty() || name == ".") continue;
        HYGIE_CHECK(name != "..", "the simulated disk has no way up");
        const Node& dir = at(at_id);
        const auto found = dir.names.find(std::string(name));
        if (found == dir.names.end()) return std::nullopt;
        at_id = found->second;
    }
    return at_id;
}

SimTree::Node& SimTree::edit(Id id) {
    std::shared_ptr<Node>& node = nodes_.at(id);
    if (node.use_count() > 1) node = std::make_shared<Node>(*node);
    return *node;
}

SimTree::Id SimTree::make_node(bool is_dir) {
    const Id id = next_id_++;
    nodes_[id] = std::make_shared<Node>();
    nodes_[id]->is_dir = is_dir;
    return id;
}

void SimTree::change(std::vector<Naming> namings) {
    for (const Naming& naming : namings) apply(edit(naming.dir).names, naming);
    pending_.push_back(std::move(namings));
}

void SimTree::sync_names(Id dir) {
    Node& node = edit(dir);
    node.durable_names = node.names;
    for (auto& namings : pending_)
        std::erase_if(namings, [&](const Naming& naming) { return naming.dir == dir; });
    std::erase_if(pending_, [](const auto& namings) { return namings.empty(); });
}

std::set<SimTree::Id> SimTree::below(Id top) const {
    std::set<Id> found{top};
    std::vector<Id> todo{top};
    while (!todo.empty()) {
        const Node& node = at(todo.back());
        todo.pop_back();
        for (const Id id : node.names | std::views::values)
            if (found.insert(id).second) todo.push_back(id);
    }
    return found;
}

void SimTree::lose_power(Chance& chance) {
    const Survival survival = Survival::draw(chance);
    for (const auto& namings : pending_) {
        if (!survival.keeps(chance)) continue;
        for (const Naming& naming : namings) apply(edit(naming.dir).durable_names, naming);
    }
    pending_.clear();
    for (const auto& [id, node] : nodes_)
        if (node->names != node->durable_names) edit(id).names = node->durable_names;
    collect_garbage({});
    for (const auto& [id, node] : nodes_)
        if (!node->content.synced()) edit(id).content.lose_power(chance);
}

void SimTree::collect_garbage(std::set<Id> open) {
    std::set<Id>& reached = open;
    reached.insert(kRoot);
    for (const auto& namings : pending_)
        for (const Naming& naming : namings)
            if (naming.target != kNone) reached.insert(naming.target);
    std::vector<Id> todo(reached.begin(), reached.end());
    while (!todo.empty()) {
        const Node& node = at(todo.back());
        todo.pop_back();
        for (const auto* names : {&node.names, &node.durable_names})
            for (const Id id : *names | std::views::values)
                if (reached.insert(id).second) todo.push_back(id);
    }
    std::erase_if(nodes_, [&](const auto& entry) { return !reached.contains(entry.first); });
}

std::uint64_t SimTree::total_bytes() const {
    std::uint64_t total = 0;
    for (const Id id : below(kRoot)) total += at(id).content.size();
    return total;
}

}  // namespace hygie::sim
