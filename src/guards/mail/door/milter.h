#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "base/result.h"
#include "guards/mail/door/gate.h"

namespace hygie::mail {

/// The gate behind a socket that Postfix (or any mail server) speaks the milter protocol to. One
/// per process: libmilter keeps its state in globals.
class Milter {
  public:
    /// Listens at once. `socket` is "inet:PORT@HOST" or "unix:PATH". Code::BadInput for another
    /// spelling, Code::Unavailable when it cannot listen there.
    static Result<std::unique_ptr<Milter>> start(Gate& gate, const std::string& socket);
    /// Stops within a few seconds; messages in flight stay with the mail server.
    ~Milter();

    /// It ended by itself.
    bool has_ended() const { return ended_; }

  private:
    Milter() = default;

    std::atomic<bool> ended_ = false;
    std::jthread thread_;
};

}  // namespace hygie::mail
