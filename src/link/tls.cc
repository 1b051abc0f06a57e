#include "link/tls.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/check.h"
#include "crypto/freed.h"

namespace hygie::link {
namespace {

/// OpenSSL moves at most one TLS record at a time: 16 KiB.
constexpr std::size_t kRecordBytes = 16 << 10;
constexpr std::size_t kBindingBytes = 32;
constexpr char kBindingLabel[] = "EXPORTER-Channel-Binding";
constexpr char kSuites12[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

using crypto::Freed;
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

Bio memory(const std::string& text) {
    return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// An encrypted key would make OpenSSL ask on the terminal.
int no_password(char*, int, int, void*) {
    return 0;
}

X509Ptr read_certificate(BIO* from) {
    return X509Ptr(PEM_read_bio_X509(from, nullptr, no_password, nullptr));
}

std::unexpected<Error> bad_pem(const char* fr, const char* en) {
    ERR_clear_error();
    return fail(Code::BadInput, {fr, en},
                {"donnez des fichiers PEM : autorité, certificat suivi de ses intermédiaires, clé "
                 "privée non chiffrée de ce certificat",
                 "give PEM files: authority, certificate followed by its intermediates, that "
                 "certificate's private key, not encrypted"});
}

Status trust(SSL_CTX* context, const std::string& ca_pem) {
    const Bio bio = memory(ca_pem);
    int count = 0;
    while (const X509Ptr ca = read_certificate(bio.get())) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get());
        SSL_CTX_add_client_CA(context, ca.get());
        ++count;
    }
    ERR_clear_error();
    if (count > 0) return {};
    return bad_pem("aucune autorité de certification lisible", "no readable certificate authority");
}

Status present(SSL_CTX* context, const TlsIdentity& identity) {
    const Bio bio = memory(identity.certificate_pem);
    const X509Ptr own = read_certificate(bio.get());
    if (!own || SSL_CTX_use_certificate(context, own.get()) != 1)
        return bad_pem("certificat illisible", "unreadable certificate");
    while (const X509Ptr next = read_certificate(bio.get()))
        SSL_CTX_add1_chain_cert(context, next.get());
    const Bio key_bio = memory(identity.key_pem.reveal());
    const KeyPtr key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, no_password, nullptr));
    if (!key)
        return bad_pem("clé privée illisible ou chiffrée", "private key unreadable or encrypted");
    if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1)
        return bad_pem("la clé privée n'est pas celle du certificat",
                       "the private key is not the certificate's");
    ERR_clear_error();
    return {};
}

bool is_address(const std::string& name) {
    unsigned char address[16];
    return ::inet_pton(AF_INET, name.c_str(), address) == 1 ||
           ::inet_pton(AF_INET6, name.c_str(), address) == 1;
}

}  // namespace

// ---- context

Result<TlsContext> TlsContext::make(const TlsIdentity& identity, TlsVersions versions) {
    TlsContext made;
    made.context_.reset(SSL_CTX_new(TLS_method()), SSL_CTX_free);
    SSL_CTX* context = made.context_.get();
    HYGIE_CHECK(context != nullptr, "no memory for TLS");
    const int oldest = versions == TlsVersions::Only13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    SSL_CTX_set_min_proto_version(context, oldest);
    SSL_CTX_set_cipher_list(context, kSuites12);
    // Each connection proves itself anew.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    TRY_STATUS(trust(context, identity.ca_pem));
    if (!identity.certificate_pem.empty()) TRY_STATUS(present(context, identity));
    return made;
}

Result<TlsContext> TlsContext::client(const TlsIdentity& identity, TlsVersions versions) {
    return make(identity, versions);
}

Result<TlsContext> TlsContext::server(const TlsIdentity& identity) {
    if (identity.certificate_pem.empty())
        return bad_pem("il faut un certificat au serveur", "the server needs a certificate");
    return make(identity, TlsVersions::Only13);
}

// ---- channel

TlsChannel::TlsChannel(const TlsContext& context)
    : context_(context.context_), ssl_(SSL_new(context_.get()), SSL_free) {
    HYGIE_CHECK(ssl_ != nullptr, "no memory for TLS");
    BIO* from_network = BIO_new(BIO_s_mem());
    BIO* to_network = BIO_new(BIO_s_mem());
    HYGIE_CHECK(from_network != nullptr && to_network != nullptr, "no memory for TLS");
    // An empty memory BIO means "wait for more", not "end of file".
    BIO_set_mem_eof_return(from_network, -1);
    SSL_set_bio(ssl_.get(), from_network, to_network);
}

TlsChannel TlsChannel::client(const TlsContext& context, const std::string& peer_name) {
    TlsChannel channel(context);
    SSL* ssl = channel.ssl_.get();
    if (is_address(peer_name)) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), peer_name.c_str());
    } else {
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_WILDCARDS);
        SSL_set1_host(ssl, peer_name.c_str());
        SSL_set_tlsext_host_name(ssl, peer_name.c_str());
    }
    SSL_set_connect_state(ssl);
    return channel;
}

TlsChannel TlsChannel::server(const TlsContext& context) {
    TlsChannel channel(context);
    SSL_set_accept_state(channel.ssl_.get());
    return channel;
}

Status TlsChannel::receive(ByteView network, Bytes& plain) {
    ERR_clear_error();
    BIO* from_network = SSL_get_rbio(ssl_.get());
    // A memory BIO takes everything.
    if (!network.empty()) BIO_write(from_network, network.data(), static_cast<int>(network.size()));
    if (!established()) {
        const int done = SSL_do_handshake(ssl_.get());
        collect_output();
        if (done != 1 && SSL_get_error(ssl_.get(), done) != SSL_ERROR_WANT_READ)
            return failure(done);
        if (!established()) return {};
    }
    std::array<std::uint8_t, kRecordBytes> record;
    for (;;) {
        const int got = SSL_read(ssl_.get(), record.data(), static_cast<int>(record.size()));
        collect_output();
        if (got > 0) {
            append(plain, ByteView(record).first(static_cast<std::size_t>(got)));
            continue;
        }
        return SSL_get_error(ssl_.get(), got) == SSL_ERROR_WANT_READ ? Status() : failure(got);
    }
}

Status TlsChannel::send(ByteView plain) {
    HYGIE_CHECK(established(), "data before the handshake");
    ERR_clear_error();
    while (!plain.empty()) {
        const auto chunk = static_cast<int>(std::min(plain.size(), kRecordBytes));
        const int put = SSL_write(ssl_.get(), plain.data(), chunk);
        collect_output();
        if (put <= 0) return failure(put);
        plain = plain.subspan(static_cast<std::size_t>(put));
    }
    return {};
}

void TlsChannel::close() {
    ERR_clear_error();
    if (established()) SSL_shutdown(ssl_.get());
    ERR_clear_error();
    collect_output();
}

void TlsChannel::collect_output() {
    BIO* to_network = SSL_get_wbio(ssl_.get());
    const std::size_t before = output_.size();
    const std::size_t pending = BIO_ctrl_pending(to_network);
    if (pending == 0) return;
    output_.resize(before + pending);
    const int got = BIO_read(to_network, output_.data() + before, static_cast<int>(pending));
    HYGIE_CHECK(got == static_cast<int>(pending), "a memory BIO gives what it holds");
}

std::unexpected<Error> TlsChannel::failure(int result) {
    const int kind = SSL_get_error(ssl_.get(), result);
    if (kind == SSL_ERROR_ZERO_RETURN)
        return fail(Code::Unavailable, {"le pair a fermé la connexion", "the peer closed"},
                    {"la liaison sera rétablie", "the link will be made again"});
    const unsigned long error = ERR_get_error();
    const char* reason = ERR_reason_error_string(error);
    const long verified = SSL_get_verify_result(ssl_.get());
    // Alerts of the peer are 1000 + their number; 1040 to 1051 and 1116 are about certificates
    // (RFC 8446 §6.2).
    const int alert = ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET;
    const bool refused_us = (alert >= SSL_AD_HANDSHAKE_FAILURE && alert <= SSL_AD_DECRYPT_ERROR) ||
                            alert == SSL_AD_CERTIFICATE_REQUIRED;
    ERR_clear_error();
    if (verified != X509_V_OK) reason = X509_verify_cert_error_string(verified);
    const std::string why = reason ? reason : "connection broken";
    if (verified != X509_V_OK || refused_us ||
        ERR_GET_REASON(error) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
        return fail(Code::Denied,
                    {fmt::format("certificat refusé : {}", why),
                     fmt::format("certificate refused: {}", why)},
                    {"vérifiez l'autorité, le nom et les dates des certificats des deux côtés",
                     "check the authority, the name and the dates of both sides' certificates"});
    return fail(
        Code::Unavailable,
        {fmt::format("liaison TLS rompue : {}", why), fmt::format("TLS link broken: {}", why)},
        {"vérifiez que l'autre côté parle TLS 1.3 à cette adresse",
         "check that the other side speaks TLS 1.3 at this address"});
}

bool TlsChannel::established() const {
    return SSL_is_init_finished(ssl_.get()) == 1;
}

Bytes TlsChannel::binding() const {
    Bytes out(kBindingBytes);
    const int made = SSL_export_keying_material(ssl_.get(), out.data(), out.size(), kBindingLabel,
                                                sizeof(kBindingLabel) - 1, nullptr, 0, 0);
    HYGIE_CHECK(made == 1, "the binding exists once established");
    return out;
}

bool TlsChannel::peer_is(const std::string& name) const {
    const X509Ptr peer(SSL_get1_peer_certificate(ssl_.get()));
    if (!peer) return false;
    if (is_address(name)) return X509_check_ip_asc(peer.get(), name.c_str(), 0) == 1;
    return X509_check_host(peer.get(), name.data(), name.size(), X509_CHECK_FLAG_NO_WILDCARDS,
                           nullptr) == 1;
}

}  // namespace hygie::link
