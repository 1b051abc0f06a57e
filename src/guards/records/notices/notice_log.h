#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access/accounts/sealed_file.h"
#include "guards/records/notices/notice.h"

namespace hygie::records {

/// What a subscription has told, and what waits to be told: sealed, in one file each (FORMAT.md).
struct NoticeLog {
    /// Events that $events can still give.
    static constexpr std::size_t kKeptMax = 500;

    std::uint64_t count = 0;             ///< events since it began
    std::uint64_t told = 0;              ///< delivered, or given up, up to this number
    WallTime seen{};                     ///< changes were looked at up to this time
    std::vector<std::string> headers{};  ///< "Name: value", as they go out
    std::deque<NoticeEvent> events{};    ///< newest last
    bool operator==(const NoticeLog&) const = default;

    /// Numbers it and keeps it. What waits is never dropped for want of room: false then.
    bool add(NoticeEvent event);
    bool has(const NoticeEvent& event) const;
    /// Those after `told`, `most` at most.
    std::vector<NoticeEvent> waiting(std::size_t most) const;
};

Bytes encode(const NoticeLog& log);
/// Code::Corrupt for bytes that are none; an empty log for no bytes.
Result<NoticeLog> decode_notice_log(ByteView bytes);

/// The file of one subscription. Thread-safe.
class NoticeFile {
  public:
    static Result<std::unique_ptr<NoticeFile>> open(const Desk& desk, const std::string& id);
    Result<NoticeLog> read();
    /// What `state` is once no other writes; nothing changes where it is none.
    Status write(const std::function<std::optional<NoticeLog>()>& state);

  private:
    explicit NoticeFile(std::unique_ptr<access::SealedFile> file) : file_(std::move(file)) {}
    std::unique_ptr<access::SealedFile> file_;
};

}  // namespace hygie::records
