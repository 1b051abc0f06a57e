#include "link/stream.h"

#include <algorithm>

#include "base/limits.h"
#include "event/event.h"

namespace hygie::link {
namespace {

constexpr std::string_view kSealDomain = "hygie/stream-seal/1";
/// Heads of the event's array, type, time, retention and body.
constexpr std::size_t kStampBytesMax = 20;
/// Counters stay far from the end of their type: a hostile one must not wrap around.
constexpr std::uint64_t kCounterMax = std::uint64_t{1} << 62;

std::unexpected<Error> corrupt(std::source_location where = std::source_location::current()) {
    return fail(Code::Corrupt,
                {"lot d'événements hors du format du lien", "batch of events outside the format"},
                {"mettez la garde et le cœur à la même version",
                 "bring the guard and the core to the same version"},
                where);
}

Result<StampedBody> read_event(cbor::Reader& in, std::uint64_t counter) {
    if (TRY(in.array()) != 4) return corrupt();
    const std::uint64_t type = TRY(in.number());
    const std::uint64_t time = TRY(in.number());
    const std::uint64_t retention = TRY(in.number());
    const ByteView body = TRY(in.bytes());
    if (type > 0xFFFF || !guard_may_report(static_cast<event::Type>(type))) return corrupt();
    if (time > static_cast<std::uint64_t>(Micros::max().count())) return corrupt();
    const auto kept = static_cast<event::Retention>(retention);
    if (retention > 0xFF || event::name_of(kept).empty()) return corrupt();
    if (body.size() > limits::kEventBytesMax) return corrupt();
    const WallTime when{Micros(static_cast<std::int64_t>(time))};
    return StampedBody{{static_cast<event::Type>(type), when, counter, kept}, to_bytes(body)};
}

Status check_name(const std::string& name) {
    const bool printable = std::ranges::all_of(
        name, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
    if (!name.empty() && name.size() <= kNameBytesMax && printable && is_utf8(name)) return {};
    return fail(Code::BadInput,
                {"nom de source ou de machine vide, trop long ou illisible",
                 "source or node name empty, too long or unreadable"},
                {"donnez un nom de 1 à 128 octets sans caractère de contrôle",
                 "give a name of 1 to 128 bytes without control characters"});
}

}  // namespace

bool guard_may_report(event::Type type) {
    return (type == event::Type::Heartbeat || !event::is_about_ledger(type)) &&
           !event::name_of(type).empty();
}

Point after(const Point& point, const StampedBody& event) {
    return {event.stamp.counter, event::chain(point.chain, event.stamp, event.body)};
}

Point follow(Batch& batch) {
    Point point = batch.after;
    for (const StampedBody& event : batch.events) {
        point = after(point, event);
        if (batch.seal && batch.seal->at.counter == point.counter)
            batch.seal->at.chain = point.chain;
    }
    return point;
}

std::size_t weight(const StampedBody& event) {
    return kStampBytesMax + event.body.size();
}

Bytes seal_message(const SourceInfo& source, const Point& at) {
    Bytes out;
    cbor::Writer writer(out);
    writer.array(5);
    writer.text(kSealDomain);
    writer.text(source.source.str());
    writer.text(source.node.str());
    writer.number(at.counter);
    writer.bytes(at.chain);
    return out;
}

Seal make_seal(const SourceInfo& source, const Point& at, const crypto::SigningKey& key) {
    return {at, key.sign(seal_message(source, at))};
}

bool verify(const Seal& seal, const SourceInfo& source) {
    return crypto::verify(source.key, seal_message(source, seal.at), seal.signature);
}

Status check_names(const SourceInfo& source) {
    TRY_STATUS(check_name(source.source.str()));
    return check_name(source.node.str());
}

void write_batch(cbor::Writer& out, const Batch& batch) {
    out.array(batch.events.size());
    for (const auto& [stamp, body] : batch.events) {
        out.array(4);
        out.number(static_cast<std::uint64_t>(stamp.type));
        out.number(static_cast<std::uint64_t>(stamp.time.time_since_epoch().count()));
        out.number(static_cast<std::uint64_t>(stamp.retention));
        out.bytes(body);
    }
    out.array(batch.seal ? 2 : 0);
    if (!batch.seal) return;
    out.number(batch.seal->at.counter);
    out.bytes(batch.seal->signature);
}

Result<Batch> read_batch(cbor::Reader& in, const Point& point) {
    Batch batch{point, {}, {}};
    const std::uint64_t count = TRY(in.array());
    if (count == 0 || count > kBatchEventsMax || point.counter > kCounterMax) return corrupt();
    std::size_t bytes = 0;
    for (std::uint64_t i = 1; i <= count; ++i) {
        batch.events.push_back(TRY(read_event(in, point.counter + i)));
        bytes += weight(batch.events.back());
    }
    if (bytes > kBatchBytesMax) return corrupt();
    const std::uint64_t seal_items = TRY(in.array());
    if (seal_items == 0) return batch;
    if (seal_items != 2) return corrupt();
    Seal& seal = batch.seal.emplace();
    seal.at.counter = TRY(in.number());
    const ByteView signature = TRY(in.bytes());
    if (seal.at.counter <= point.counter || seal.at.counter > point.counter + count ||
        signature.size() != seal.signature.size())
        return corrupt();
    std::ranges::copy(signature, seal.signature.begin());
    return batch;
}

}  // namespace hygie::link
