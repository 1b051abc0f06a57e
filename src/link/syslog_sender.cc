#include "link/syslog_sender.h"

namespace hygie::link {

Status SyslogSender::connect() {
    UniqueFd fd = TRY(connect_tcp(doors_.disk, collector_.host, collector_.port, timeout_));
    auto connection = std::make_unique<Connection>(
        doors_.clock, std::move(fd), TlsChannel::client(collector_.tls, collector_.peer_name));
    TRY_STATUS(connection->handshake(timeout_));
    connection_ = std::move(connection);
    return {};
}

Status SyslogSender::send(ByteView framed) {
    if (connection_) TRY_STATUS(look());
    if (!connection_) TRY_STATUS(connect());
    Bytes out = to_bytes(framed);
    Status sent = connection_->flush(out, timeout_);
    if (!sent) connection_.reset();
    return sent;
}

/// A collector never speaks: what comes is the news that it left, or that it refused us.
Status SyslogSender::look() {
    Bytes nothing;
    Bytes said;
    const Status still = connection_->exchange(nothing, said, nullptr, Micros(0));
    if (still) return {};
    connection_.reset();
    return still.error().code == Code::Denied ? still : Status();
}

Status SyslogSender::close() {
    if (!connection_) return {};
    Bytes nothing;
    Status closed = connection_->finish(nothing, timeout_);
    connection_.reset();
    return closed;
}

}  // namespace hygie::link
