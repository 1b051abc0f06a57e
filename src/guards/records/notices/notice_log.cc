#include "guards/records/notices/notice_log.h"

#include <algorithm>

#include "base/cbor.h"
#include "crypto/tokens.h"

namespace hygie::records {

namespace {

constexpr std::uint64_t kFields = 6;
constexpr std::uint64_t kFormat = 1;
constexpr std::uint64_t kEventFields = 6;

std::uint64_t micros_of(WallTime time) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.time_since_epoch().count()));
}

Result<WallTime> time_in(cbor::Reader& reader) {
    return WallTime(Micros(static_cast<std::int64_t>(TRY(reader.number()))));
}

std::unexpected<Error> damaged() {
    return fail(Code::Corrupt,
                {"le journal d'un abonnement est abîmé", "the log of a subscription is damaged"},
                {"recréez l'abonnement", "make the subscription again"});
}

Result<NoticeEvent> read_event(cbor::Reader& reader) {
    if (TRY(reader.array()) != kEventFields) return damaged();
    NoticeEvent event;
    event.number = TRY(reader.number());
    event.when = TRY(time_in(reader));
    const std::uint64_t happened = TRY(reader.number());
    if (happened > static_cast<std::uint64_t>(Happened::Deleted)) return damaged();
    event.happened = static_cast<Happened>(happened);
    event.type = TRY(reader.text());
    event.id = TRY(reader.text());
    event.version = static_cast<std::uint32_t>(TRY(reader.number()));
    return event;
}

}  // namespace

bool NoticeLog::add(NoticeEvent event) {
    if (events.size() >= kKeptMax && events.front().number > told) return false;
    event.number = ++count;
    events.push_back(std::move(event));
    if (events.size() > kKeptMax) events.pop_front();
    return true;
}

bool NoticeLog::has(const NoticeEvent& event) const {
    return std::ranges::any_of(events, [&](const NoticeEvent& one) {
        return one.type == event.type && one.id == event.id && one.version == event.version;
    });
}

std::vector<NoticeEvent> NoticeLog::waiting(std::size_t most) const {
    std::vector<NoticeEvent> waiting;
    for (const NoticeEvent& event : events)
        if (event.number > told && waiting.size() < most) waiting.push_back(event);
    return waiting;
}

Bytes encode(const NoticeLog& log) {
    Bytes out;
    cbor::Writer writer(out);
    writer.array(kFields);
    writer.number(kFormat);
    writer.number(log.count);
    writer.number(log.told);
    writer.number(micros_of(log.seen));
    writer.array(log.headers.size());
    for (const std::string& header : log.headers) writer.text(header);
    writer.array(log.events.size());
    for (const NoticeEvent& event : log.events) {
        writer.array(kEventFields);
        writer.number(event.number);
        writer.number(micros_of(event.when));
        writer.number(static_cast<std::uint64_t>(event.happened));
        writer.text(event.type);
        writer.text(event.id);
        writer.number(event.version);
    }
    return out;
}

Result<NoticeLog> decode_notice_log(ByteView bytes) {
    NoticeLog log;
    if (bytes.empty()) return log;
    cbor::Reader reader(bytes);
    if (TRY(reader.array()) != kFields || TRY(reader.number()) != kFormat) return damaged();
    log.count = TRY(reader.number());
    log.told = TRY(reader.number());
    log.seen = TRY(time_in(reader));
    const std::uint64_t headers = TRY(reader.array());
    for (std::uint64_t i = 0; i < headers; ++i) log.headers.emplace_back(TRY(reader.text()));
    const std::uint64_t events = TRY(reader.array());
    for (std::uint64_t i = 0; i < events; ++i) log.events.push_back(TRY(read_event(reader)));
    return log;
}

Result<std::unique_ptr<NoticeFile>> NoticeFile::open(const Desk& desk, const std::string& id) {
    // An id of FHIR may be "..": never a name by itself.
    auto file = TRY(access::SealedFile::open({desk.rooms.disk, desk.rooms.clock, desk.rooms.random},
                                             desk.options.notice_dir, "notices-" + id,
                                             crypto::derive(desk.options.key, "records/notices")));
    return std::unique_ptr<NoticeFile>(new NoticeFile(std::move(file)));
}

Result<NoticeLog> NoticeFile::read() {
    return decode_notice_log(TRY(file_->read()));
}

Status NoticeFile::write(const std::function<std::optional<NoticeLog>()>& state) {
    return file_->change([&](ByteView current) -> Result<Bytes> {
        const std::optional<NoticeLog> log = state();
        return log ? encode(*log) : to_bytes(current);
    });
}

}  // namespace hygie::records
