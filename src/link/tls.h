#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/sensitive.h"

struct ssl_ctx_st;
struct ssl_st;

/// TLS with both ends' certificates verified, over bytes that the caller moves. No sockets here.
namespace hygie::link {

/// Who we are and whom we trust, as PEM texts.
struct TlsIdentity {
    std::string ca_pem;           ///< the authorities trusted, and only those
    std::string certificate_pem;  ///< ours, then its intermediates; empty for an anonymous client
    Sensitive<std::string> key_pem;  ///< of our certificate, not encrypted
};

/// The link speaks TLS 1.3 only. Peers of the outside world may be older: RFC 5425 as RFC 9662
/// updates it asks for 1.2 with forward-secret AEAD suites.
enum class TlsVersions { Only13, From12 };

/// What connections of one kind share. Cheap to copy, thread-safe.
class TlsContext {
  public:
    /// Code::BadInput when a PEM text holds nothing usable or the key is not the certificate's.
    static Result<TlsContext> client(const TlsIdentity& identity, TlsVersions versions);
    /// Asks every client for a certificate of the same authorities.
    static Result<TlsContext> server(const TlsIdentity& identity);

  private:
    friend class TlsChannel;
    static Result<TlsContext> make(const TlsIdentity& identity, TlsVersions versions);
    std::shared_ptr<ssl_ctx_st> context_;
};

/// One end of one TLS connection.
class TlsChannel {
  public:
    /// `peer_name`: the DNS name or IP address that the server's certificate must bear.
    static TlsChannel client(const TlsContext& context, const std::string& peer_name);
    static TlsChannel server(const TlsContext& context);

    /// Takes bytes from the network (none at first) and appends what they say to `plain`.
    /// Code::Denied when a certificate was refused, by us or by the peer; Code::Unavailable when
    /// the peer closed or broke off. Whatever happens, output() holds what the peer must still be
    /// told.
    Status receive(ByteView network, Bytes& plain);
    /// Once established.
    Status send(ByteView plain);
    /// Says that nothing follows.
    void close();
    /// Bytes for the network; the caller removes what it has sent.
    Bytes& output() { return output_; }

    bool established() const;
    /// 32 bytes that both ends of this very connection know (RFC 9266, tls-exporter).
    Bytes binding() const;
    /// Whether the peer's certificate bears this name (RFC 6125, no wildcards).
    bool peer_is(const std::string& name) const;

  private:
    TlsChannel(const TlsContext& context);
    std::unexpected<Error> failure(int result);
    void collect_output();

    std::shared_ptr<ssl_ctx_st> context_;
    std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl_;
    Bytes output_;
};

}  // namespace hygie::link
