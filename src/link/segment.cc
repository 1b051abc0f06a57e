#include "link/segment.h"

#include <algorithm>

#include "base/cbor.h"
#include "crypto/aead.h"
#include "crypto/tokens.h"

namespace hygie::link {
namespace {

constexpr std::string_view kMagic = "HYSPOOL1";
constexpr std::string_view kHeadDomain = "hygie/spool-head/1";
constexpr std::string_view kRecordDomain = "hygie/spool-record/1";
constexpr std::size_t kHeadBoxBytesMax = 1024;
/// First counter, length of the box, mark.
constexpr std::size_t kRecordHeadBytes = 8 + 4 + sizeof(crypto::Token);
constexpr std::size_t kRecordBoxBytesMax = kBatchBytesMax + 128 + crypto::kBoxBytes;
constexpr std::size_t kRecordBytesMax = kRecordHeadBytes + kRecordBoxBytesMax;

std::unexpected<Error> corrupt(std::source_location where = std::source_location::current()) {
    return fail(Code::Corrupt,
                {"file d'attente de la garde illisible : fichier abîmé ou autre clé",
                 "guard's spool unreadable: damaged file or another key"},
                {"rétablissez le dossier de la file et sa clé ; s'ils sont perdus, mettez le "
                 "dossier de côté et déclarez la perte en ouvrant une file neuve",
                 "bring back the spool's directory and its key; if they are lost, set the "
                 "directory aside and declare the loss by opening a new spool"},
                where);
}

Result<Bytes> read_exactly(File& file, std::uint64_t offset, std::size_t size) {
    Bytes out(size);
    if (TRY(file.read_at(offset, out)) != size) return corrupt();
    return out;
}

crypto::Token mark(const SegmentKeys& keys, ByteView counter_and_length) {
    return crypto::blind(keys.mark, kRecordDomain, as_text(counter_and_length));
}

struct RecordHead {
    std::uint64_t first = 0;
    std::uint32_t box_bytes = 0;
};

/// None when no record begins with these bytes.
std::optional<RecordHead> parse_record_head(const SegmentKeys& keys, ByteView bytes) {
    const RecordHead head{load_be<std::uint64_t>(bytes.data()),
                          load_be<std::uint32_t>(bytes.data() + 8)};
    if (head.box_bytes > kRecordBoxBytesMax) return std::nullopt;
    const bool marked = equal_constant_time(mark(keys, bytes.first(12)), bytes.subspan(12, 8));
    return marked ? std::optional(head) : std::nullopt;
}

/// Ties a record to its place: it opens after this point of the stream only.
Bytes place(const Point& at) {
    Bytes out = to_bytes(as_bytes(kRecordDomain));
    std::uint8_t counter[8];
    store_be(counter, at.counter);
    append(out, counter);
    append(out, at.chain);
    return out;
}

}  // namespace

SegmentKeys::SegmentKeys(const crypto::Secret32& sealing_key)
    : box(crypto::derive(sealing_key, "link/spool/box")),
      mark(crypto::derive(sealing_key, "link/spool/mark")) {}

Bytes encode_segment_head(const SegmentKeys& keys, const SourceInfo& self, const Point& base,
                          Random& random) {
    Bytes plain;
    cbor::Writer writer(plain);
    writer.array(5);
    writer.text(self.source.str());
    writer.text(self.node.str());
    writer.bytes(self.key);
    writer.number(base.counter);
    writer.bytes(base.chain);
    const Bytes boxed = crypto::box(keys.box, as_bytes(kHeadDomain), plain, random);
    Bytes out = to_bytes(as_bytes(kMagic));
    std::uint8_t length[4];
    store_be(length, static_cast<std::uint32_t>(boxed.size()));
    append(out, length);
    append(out, boxed);
    return out;
}

Result<SegmentHead> read_segment_head(const SegmentKeys& keys, File& file) {
    const Bytes front = TRY(read_exactly(file, 0, kMagic.size() + 4));
    if (!as_text(front).starts_with(kMagic)) return corrupt();
    const auto box_bytes = load_be<std::uint32_t>(front.data() + kMagic.size());
    if (box_bytes > kHeadBoxBytesMax) return corrupt();
    const Bytes boxed = TRY(read_exactly(file, front.size(), box_bytes));
    const auto plain = crypto::unbox(keys.box, as_bytes(kHeadDomain), boxed);
    if (!plain) return corrupt();
    SegmentHead head;
    cbor::Reader in(*plain);
    if (TRY(in.array()) != 5) return corrupt();
    head.self.source = SourceId(std::string(TRY(in.text())));
    head.self.node = NodeId(std::string(TRY(in.text())));
    const ByteView key = TRY(in.bytes());
    head.base.counter = TRY(in.number());
    const ByteView chain = TRY(in.bytes());
    if (key.size() != head.self.key.size() || chain.size() != head.base.chain.size() || !in.done())
        return corrupt();
    std::ranges::copy(key, head.self.key.begin());
    std::ranges::copy(chain, head.base.chain.begin());
    head.bytes = front.size() + box_bytes;
    return head;
}

Bytes encode_record(const SegmentKeys& keys, const Batch& batch, Random& random) {
    Bytes plain;
    cbor::Writer writer(plain);
    write_batch(writer, batch);
    const Bytes boxed = crypto::box(keys.box, place(batch.after), plain, random);
    Bytes out(12);
    store_be(out.data(), batch.after.counter + 1);
    store_be(out.data() + 8, static_cast<std::uint32_t>(boxed.size()));
    append(out, mark(keys, out));
    append(out, boxed);
    return out;
}

Result<std::optional<Record>> read_record(const SegmentKeys& keys, File& file, std::uint64_t offset,
                                          const Point& at) {
    if (offset == TRY(file.size())) return std::nullopt;
    const Bytes front = TRY(read_exactly(file, offset, kRecordHeadBytes));
    const auto head = parse_record_head(keys, front);
    if (!head || head->first != at.counter + 1) return corrupt();
    const Bytes boxed = TRY(read_exactly(file, offset + kRecordHeadBytes, head->box_bytes));
    const auto plain = crypto::unbox(keys.box, place(at), boxed);
    if (!plain) return corrupt();
    cbor::Reader in(*plain);
    Batch batch = TRY(read_batch(in, at));
    if (!in.done()) return corrupt();
    return Record{std::move(batch), offset + kRecordHeadBytes + head->box_bytes};
}

Result<bool> is_torn_tail(const SegmentKeys& keys, File& file, std::uint64_t offset,
                          const Point& at) {
    const std::uint64_t size = TRY(file.size()) - offset;
    if (size > kRecordBytesMax) return false;
    const Bytes tail = TRY(read_exactly(file, offset, size));
    // Each record is synced before the next is written: a second one proves that the first was
    // durable. Its counter can only be a little higher, which spares most of the marks' checks.
    for (std::size_t i = 1; i + kRecordHeadBytes <= tail.size(); ++i) {
        const auto counter = load_be<std::uint64_t>(tail.data() + i);
        if (counter <= at.counter + 1 || counter > at.counter + tail.size()) continue;
        if (parse_record_head(keys, ByteView(tail).subspan(i, kRecordHeadBytes))) return false;
    }
    return true;
}

}  // namespace hygie::link
