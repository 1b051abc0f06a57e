#include "link/syslog_sender.h"

namespace hygie::link {

SyslogSender::~SyslogSender() {
    close();
}

Status SyslogSender::connect() {
    UniqueFd fd = TRY(connect_tcp(doors_.disk, collector_.host, collector_.port, timeout_));
    auto connection = std::make_unique<Connection>(
        doors_.clock, std::move(fd), TlsChannel::client(collector_.tls, collector_.peer_name));
    TRY_STATUS(connection->handshake(timeout_));
    connection_ = std::move(connection);
    return {};
}

Status SyslogSender::send(ByteView framed) {
    Bytes out;
    Bytes ignored;
    // A collector never speaks; what comes is the news that it left, or that it refused us.
    if (connection_ && !connection_->exchange(out, ignored, nullptr, Micros(0)))
        connection_.reset();
    if (!connection_) TRY_STATUS(connect());
    out = to_bytes(framed);
    Status sent = connection_->flush(out, timeout_);
    if (!sent) connection_.reset();
    return sent;
}

void SyslogSender::close() {
    Bytes nothing;
    if (connection_) connection_->finish(nothing, timeout_);
    connection_.reset();
}

}  // namespace hygie::link
