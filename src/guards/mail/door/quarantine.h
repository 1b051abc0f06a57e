#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "crypto/secret.h"
#include "guards/mail/facts/envelope.h"
#include "host/disk.h"
#include "host/random.h"

/// Messages that were held, sealed, until a person decides. Nothing is removed before the time that
/// the operator's policy sets.
namespace hygie::mail {

/// The domain of the house's root key that seals what is held.
inline constexpr std::string_view kQuarantineKeyDomain = "mail-quarantine";
inline constexpr std::size_t kHeldEntryBytesMax = 1U << 20;
inline constexpr std::size_t kReleaseBytesMax = 16U << 10;

/// What is known of a held message without reading it.
struct Held {
    std::string id;  ///< a UUID, the name by which people speak of it
    WallTime at{};
    Envelope envelope;
    std::string verdict;  ///< one line of JSON (report.h)
    std::uint64_t bytes = 0;
    std::string from{};     ///< the author's address as the letter shows it
    std::string subject{};  ///< decoded
    /// Why it is kept: "held", "neutralised" (its reader has the harmless copy), "rejected" (its
    /// sender was told), "reported" (somebody here sent it in).
    std::string kept_as = "held";
    bool is_released = false;  ///< as find and list tell it
};

/// Somebody let a held message go.
struct Release {
    std::string id;  ///< of the message
    std::string by;
    WallTime at{};
    std::string event_id;  ///< the trace of this release, however often it is told
    bool teaches = false;  ///< who gave it back holds it for honest mail
};

/// A directory of sealed files (FORMAT.md). One guard holds messages; other processes may list,
/// read and release beside it. hold() may be called by several threads.
class Quarantine {
  public:
    enum class Role {
        Guard,  ///< the one that holds; Code::Busy when another does
        Reader,
    };
    static Result<std::unique_ptr<Quarantine>> open(Disk& disk, Random& random, std::string dir,
                                                    const crypto::Secret32& key, Role role);

    /// When this succeeds the message survives a loss of power. Code::Full when the disk is full:
    /// nothing is held then. After Code::Io every further call fails: the disk is not believed any
    /// more until the guard starts again.
    Status hold(const Held& entry, std::string_view message);

    /// Oldest first. A file that cannot be read is left out and counted in `unreadable`.
    struct Listing {
        std::vector<Held> held;
        std::size_t unreadable = 0;
    };
    Result<Listing> list();
    /// The id that begins with `part`, of six signs or more. Code::BadInput names some of those
    /// that begin so, where there are several.
    Result<std::string> whole_id(const std::string& part);
    /// Code::NotFound, Code::BadInput for what is no id, Code::Corrupt when damaged.
    Result<Held> find(const std::string& id);
    /// The message, byte for byte as it was held.
    Result<std::string> message(const std::string& id);

    /// To be called before a message is given back: from here on the release is known.
    Status note_release(const Release& release);
    /// Releases that no ledger was told of.
    Result<std::vector<Release>> untold_releases();
    Status release_told(const std::string& id);

    /// Removes what was kept since before `limit`. `first` is told of each; where it fails nothing
    /// is removed. How many went.
    Result<std::size_t> expire(WallTime limit, const std::function<Status(const Held&)>& first);

  private:
    Quarantine(Disk& disk, Random& random, std::string dir, const crypto::Secret32& key);
    std::string path_of(const std::string& id) const;
    Status sweep();

    Disk& disk_;
    Random& random_;
    std::string dir_;
    crypto::Secret32 key_;
    std::unique_ptr<FileLock> lock_;
    std::atomic<bool> failed_ = false;
};

}  // namespace hygie::mail
