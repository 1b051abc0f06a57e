#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "serve/http_server.h"
#include "sim/temp_dir.h"

/// What tests of the server share.
namespace hygie::serve {

inline std::uint16_t port_of(const HttpServer& server) {
    return static_cast<std::uint16_t>(std::stoi(server.url().substr(server.url().rfind(':') + 1)));
}

/// A client that says exactly what the test wants.
class Raw {
  public:
    explicit Raw(const HttpServer& server) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port_of(server));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    ~Raw() { ::close(socket_); }
    Raw(const Raw&) = delete;
    Raw& operator=(const Raw&) = delete;

    /// False when the server has closed.
    bool send(std::string_view bytes) {
        return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(bytes.size());
    }
    /// Everything until `end` has been seen, or until the server closes.
    std::string read_until(std::string_view end) {
        char c = 0;
        std::string text;
        while (!(text.ends_with(end) && !end.empty()) && ::recv(socket_, &c, 1, 0) == 1) text += c;
        return text;
    }
    std::string read_all() { return read_until(""); }
    int socket() const { return socket_; }

  private:
    int socket_;
};

/// A certificate for 127.0.0.1, made and removed by the test.
class Certificate {
  public:
    Certificate() {
        EVP_PKEY* const key_pair = EVP_EC_gen("P-256");
        X509* const certificate = X509_new();
        X509_set_version(certificate, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
        X509_set_pubkey(certificate, key_pair);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>("hygie"), -1, -1, 0);
        X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
        X509_sign(certificate, key_pair, EVP_sha256());
        BIO* file = BIO_new_file(cert().c_str(), "w");
        PEM_write_bio_X509(file, certificate);
        BIO_free(file);
        file = BIO_new_file(key().c_str(), "w");
        PEM_write_bio_PrivateKey(file, key_pair, nullptr, nullptr, 0, nullptr, nullptr);
        BIO_free(file);
        X509_free(certificate);
        EVP_PKEY_free(key_pair);
    }
    std::string cert() const { return dir_ / "cert.pem"; }
    std::string key() const { return dir_ / "key.pem"; }

  private:
    sim::TempDir dir_;
};

/// The answer to one request over TLS of at most `version`, empty when the handshake fails.
inline std::string get_over_tls(const HttpServer& server, const Certificate& trusted, int version,
                                const char* suites = "DEFAULT") {
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_cipher_list(context, suites);
    SSL_CTX_set_max_proto_version(context, version);
    SSL_CTX_load_verify_file(context, trusted.cert().c_str());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    Raw transport(server);
    SSL* const tls = SSL_new(context);
    SSL_set_fd(tls, transport.socket());
    std::string answer;
    if (SSL_connect(tls) == 1) {
        constexpr std::string_view kRequest =
            "GET /tls HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        SSL_write(tls, kRequest.data(), static_cast<int>(kRequest.size()));
        char c = 0;
        while (SSL_read(tls, &c, 1) == 1) answer += c;
        SSL_shutdown(tls);
    }
    SSL_free(tls);
    SSL_CTX_free(context);
    return answer;
}

}  // namespace hygie::serve
