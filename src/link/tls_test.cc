#include "link/tls.h"

#include <gtest/gtest.h>

#include "link/test_certificates.h"

namespace hygie::link {
namespace {

/// Two ends of one TLS connection, without a network.
struct Pair {
    TlsChannel client;
    TlsChannel server;
    Status client_status;
    Status server_status;
    Bytes at_client;
    Bytes at_server;

    Pair(const TlsIdentity& of_client, const TlsIdentity& of_server, const std::string& name)
        : client(
              TlsChannel::client(TlsContext::client(of_client, TlsVersions::Only13).value(), name)),
          server(TlsChannel::server(TlsContext::server(of_server).value())) {
        client_status = client.receive({}, at_client);
        run();
    }

    void run() {
        while (!client.output().empty() || !server.output().empty()) {
            const Bytes up = std::exchange(client.output(), {});
            const Bytes down = std::exchange(server.output(), {});
            if (server_status && !up.empty()) server_status = server.receive(up, at_server);
            if (client_status && !down.empty()) client_status = client.receive(down, at_client);
        }
    }
};

TEST(Tls, BothEndsTalkAndShareABinding) {
    const TestAuthority ca;
    Pair pair(ca.identity("DNS:cabinet-1"), ca.identity("DNS:core,IP:127.0.0.1"), "core");
    ASSERT_TRUE(pair.client.established() && pair.server.established());
    EXPECT_EQ(pair.client.binding(), pair.server.binding());
    EXPECT_TRUE(pair.server.peer_is("cabinet-1"));
    EXPECT_FALSE(pair.server.peer_is("cabinet-2"));
    const Bytes long_text(100'000, 'x');
    ASSERT_TRUE(pair.client.send(long_text).has_value());
    ASSERT_TRUE(pair.server.send(as_bytes("answer")).has_value());
    pair.run();
    EXPECT_EQ(pair.at_server, long_text);
    EXPECT_EQ(as_text(pair.at_client), "answer");
    Pair other(ca.identity("DNS:cabinet-1"), ca.identity("DNS:core"), "core");
    EXPECT_NE(pair.client.binding(), other.client.binding());
    pair.client.close();
    pair.run();
    EXPECT_EQ(pair.server_status.error().code, Code::Unavailable);
}

TEST(Tls, AnAddressIsANameToo) {
    const TestAuthority ca;
    Pair right(ca.identity("DNS:a"), ca.identity("IP:127.0.0.1"), "127.0.0.1");
    EXPECT_TRUE(right.client.established());
    Pair wrong(ca.identity("DNS:a"), ca.identity("IP:127.0.0.2"), "127.0.0.1");
    EXPECT_EQ(wrong.client_status.error().code, Code::Denied);
}

TEST(Tls, AServerOfAnotherNameOrAuthorityIsRefused) {
    const TestAuthority ca;
    const TestAuthority other("Other CA");
    Pair name(ca.identity("DNS:a"), ca.identity("DNS:not-core"), "core");
    ASSERT_FALSE(name.client_status.has_value());
    EXPECT_EQ(name.client_status.error().code, Code::Denied);
    EXPECT_FALSE(name.server.established());
    Pair wild(ca.identity("DNS:a"), ca.identity("DNS:*.house"), "core.house");
    EXPECT_FALSE(wild.client_status.has_value());
    Pair authority(ca.identity("DNS:a"), other.identity("DNS:core", ca), "core");
    ASSERT_FALSE(authority.client_status.has_value());
    EXPECT_EQ(authority.client_status.error().code, Code::Denied);
}

TEST(Tls, AClientOfAnotherAuthorityOrNoneIsRefusedAndHearsIt) {
    const TestAuthority ca;
    const TestAuthority other("Other CA");
    TlsIdentity anonymous = ca.identity("DNS:a");
    anonymous.certificate_pem.clear();
    for (const TlsIdentity& client : {other.identity("DNS:a", ca), anonymous}) {
        Pair pair(client, ca.identity("DNS:core"), "core");
        ASSERT_FALSE(pair.server_status.has_value());
        EXPECT_EQ(pair.server_status.error().code, Code::Denied);
        ASSERT_FALSE(pair.client_status.has_value());
        EXPECT_EQ(pair.client_status.error().code, Code::Denied);
    }
}

TEST(Tls, NoiseIsNotAPeer) {
    const TestAuthority ca;
    TlsChannel server = TlsChannel::server(TlsContext::server(ca.identity("DNS:core")).value());
    Bytes plain;
    const Status status = server.receive(as_bytes("GET / HTTP/1.1\r\n\r\n"), plain);
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error().code, Code::Unavailable);
    EXPECT_TRUE(plain.empty());
}

TEST(Tls, UnusablePemIsNamed) {
    const TestAuthority ca;
    const TlsIdentity good = ca.identity("DNS:a");
    TlsIdentity bad = good;
    bad.ca_pem = "nothing";
    EXPECT_EQ(TlsContext::client(bad, TlsVersions::Only13).error().code, Code::BadInput);
    bad = good;
    bad.certificate_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    EXPECT_EQ(TlsContext::client(bad, TlsVersions::Only13).error().code, Code::BadInput);
    bad = good;
    bad.key_pem = ca.identity("DNS:b").key_pem;
    EXPECT_EQ(TlsContext::server(bad).error().code, Code::BadInput);
    bad = good;
    bad.certificate_pem.clear();
    EXPECT_EQ(TlsContext::server(bad).error().code, Code::BadInput);
    EXPECT_TRUE(TlsContext::client(bad, TlsVersions::From12).has_value());
}

}  // namespace
}  // namespace hygie::link
