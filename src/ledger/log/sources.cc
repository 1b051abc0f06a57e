#include "ledger/log/sources.h"

#include "base/cbor.h"
#include "base/check.h"

namespace hygie::ledger {
namespace {

std::unexpected<Error> corrupt() {
    return fail(Code::Corrupt, {"liste des sources illisible", "unreadable list of sources"},
                {"restaurez le dossier private/ depuis une sauvegarde",
                 "restore the private/ folder from a backup"});
}

}  // namespace

Sources::Sources() {
    all_.push_back({});
    nodes_[NodeId{}] = 0;
}

Source* Sources::find(const SourceId& name, const NodeId& node) {
    if (name.empty()) return &all_[0];
    // Events of one source come together.
    if (all_[found_].name == name && all_[found_].node == node) return &all_[found_];
    const auto found = numbers_.find({name, node});
    if (found == numbers_.end()) return nullptr;
    found_ = found->second;
    return &all_[found_];
}

Source& Sources::number(std::uint64_t number) {
    HYGIE_CHECK(number < all_.size(), "an entry names a source nobody registered");
    return all_[number];
}

Source& Sources::add(const SourceId& name, const NodeId& node, Bytes key) {
    Source source;
    source.number = all_.size();
    source.node_number = nodes_.try_emplace(node, nodes_.size()).first->second;
    source.name = name;
    source.node = node;
    source.key = std::move(key);
    numbers_[{name, node}] = source.number;
    all_.push_back(std::move(source));
    return all_.back();
}

Status Sources::restore(Source source) {
    if (source.number != all_.size() || source.name.empty()) return corrupt();
    nodes_.try_emplace(source.node, source.node_number);
    numbers_[{source.name, source.node}] = source.number;
    all_.push_back(std::move(source));
    return {};
}

Bytes Sources::encode() const {
    Bytes out;
    cbor::Writer writer(out);
    writer.array(all_.size());
    for (const Source& source : all_) {
        writer.array(6);
        writer.number(source.number);
        writer.number(source.node_number);
        writer.number(source.last_counter);
        writer.text(source.name.str());
        writer.text(source.node.str());
        writer.bytes(source.key);
    }
    return out;
}

Result<Sources> Sources::decode(ByteView bytes) {
    cbor::Reader reader(bytes);
    Sources sources;
    const std::uint64_t count = TRY(reader.array());
    for (std::uint64_t i = 0; i < count; ++i) {
        if (TRY(reader.array()) != 6) return corrupt();
        Source source;
        source.number = TRY(reader.number());
        source.node_number = TRY(reader.number());
        source.last_counter = TRY(reader.number());
        source.name = SourceId(std::string(TRY(reader.text())));
        source.node = NodeId(std::string(TRY(reader.text())));
        source.key = to_bytes(TRY(reader.bytes()));
        if (i == 0)
            sources.all_[0].last_counter = source.last_counter;
        else
            TRY_STATUS(sources.restore(std::move(source)));
    }
    if (!reader.done()) return corrupt();
    return sources;
}

}  // namespace hygie::ledger
