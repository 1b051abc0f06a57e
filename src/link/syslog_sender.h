#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "link/connection.h"
#include "link/guard_link.h"

namespace hygie::link {

/// Sends syslog messages over TLS (RFC 5425, TLS as RFC 9662 asks) to a collector, whose
/// certificate is verified. Syslog has no acknowledgement: what was sent when a collector dies may
/// be lost, so the ledger stays the evidence and the collector a copy. One thread at a time.
class SyslogSender {
  public:
    SyslogSender(Doors doors, TlsEndpoint collector, Micros timeout = std::chrono::seconds(10))
        : doors_(doors), collector_(std::move(collector)), timeout_(timeout) {}
    ~SyslogSender() { (void)close(); }

    /// Sends messages already framed as RFC 5425 §4.3 (MSG-LEN SP SYSLOG-MSG), over the connection
    /// of the last call while it stands. On return the operating system has taken all of them.
    /// Code::Unavailable when the collector cannot be reached or takes too long, Code::Denied when
    /// a certificate is refused, Code::NotFound for a name that only DNS would know.
    Status send(ByteView framed);
    /// Says that nothing follows, and waits until the collector has read everything. Code::Denied
    /// when it refused our certificate: under TLS 1.3 it may say so only after it was sent
    /// messages, and has then kept none.
    Status close();

  private:
    Status connect();
    Status look();

    Doors doors_;
    TlsEndpoint collector_;
    Micros timeout_;
    std::unique_ptr<Connection> connection_;
};

}  // namespace hygie::link
