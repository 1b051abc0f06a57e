#pragma once

#include <functional>
#include <memory>
#include <string>

#include "crypto/aead.h"
#include "crypto/secret.h"
#include "host/clock.h"
#include "host/disk.h"

namespace hygie::access {

/// Small state that several processes of one machine share: one sealed file, replaced whole, and a
/// counter beside it that tells the others to read again (FORMAT.md). A change is acknowledged only
/// when it is durable and counted, so whoever asks stale() afterwards sees it. Thread-safe.
class SealedFile {
  public:
    struct Doors {
        Disk& disk;
        Clock& clock;
        Random& random;
    };
    static Result<std::unique_ptr<SealedFile>> open(const Doors& doors, const std::string& dir,
                                                    const std::string& name,
                                                    const crypto::Secret32& key);
    ~SealedFile();

    /// Whether somebody else changed the file since read() or change(): one small read.
    bool stale();
    /// The content; empty when never written. Code::Corrupt when it was not sealed by this key.
    Result<Bytes> read();
    /// Replaces the content by what `edit` makes of it, alone among all processes; durable on
    /// return. What `edit` refuses changes nothing. Code::Busy when another holds it too long.
    Status change(const std::function<Result<Bytes>(ByteView current)>& edit);

  private:
    struct State;
    explicit SealedFile(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hygie::access
