#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/clock.h"
#include "link/core_listener.h"
#include "link/guard_link.h"
#include "link/test_certificates.h"
#include "link/test_kit.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"
#include "sim/temp_dir.h"

namespace hygie::link {
namespace {

/// Long enough for any machine; nothing waits for it when all is well.
constexpr Micros kPatience = std::chrono::seconds(60);

/// A core and guards over real sockets. Disks are simulated.
class TransportTest : public testing::Test {
  protected:
    Doors doors() { return {disk_, real_clock(), random_}; }
    LocalEndpoint local() { return {dir_ / "core.sock", false, {}}; }

    void listen(ListenerOptions options) {
        auto started = CoreListener::start(doors(), sink_, std::move(options));
        ASSERT_TRUE(started.has_value()) << started.error().what.en;
        listener_ = std::move(*started);
    }
    void listen_local() { listen({local(), {}, 256}); }
    void listen_tls(const TlsIdentity& identity) {
        listen({{}, TlsEndpoint{"127.0.0.1", 0, "", TlsContext::server(identity).value()}, 256});
    }
    TlsEndpoint remote(const TlsIdentity& identity, const std::string& name = "core") {
        return {"127.0.0.1", listener_->port(), name,
                TlsContext::client(identity, TlsVersions::Only13).value()};
    }
    void open_spool(std::uint8_t key = 1, const std::string& source = "mail") {
        SpoolOptions options = spool_options("spool-" + source + std::to_string(key));
        options.source = SourceId(source);
        spool_ = Spool::open(disk_, random_, signing_key(key), secret(9), options).value();
    }
    std::unique_ptr<GuardLink> guard(GuardLink::Endpoint endpoint) {
        return std::make_unique<GuardLink>(doors(), *spool_, std::move(endpoint),
                                           [this](const event::Order& order) -> Status {
                                               const std::lock_guard held(mutex_);
                                               obeyed_.push_back(order.id);
                                               return {};
                                           });
    }
    /// Why a guard's first connection fails.
    Error refusal(GuardLink::Endpoint endpoint) {
        const auto link = guard(std::move(endpoint));
        const SteadyTime deadline = real_clock().steady() + kPatience;
        while (real_clock().steady() < deadline) {
            const LinkState state = link->state();
            if (state.problem) return *state.problem;
            std::this_thread::yield();
        }
        return {Code::Stale, {}, {}, {}};
    }
    template <typename Predicate>
    static bool eventually(Predicate predicate) {
        const SteadyTime deadline = real_clock().steady() + kPatience;
        while (!predicate() && real_clock().steady() < deadline) std::this_thread::yield();
        return predicate();
    }

    sim::TempDir dir_;
    sim::SimDisk disk_;
    sim::SimRandom random_{11};
    MemorySink sink_;
    std::mutex mutex_;
    std::vector<std::string> obeyed_;
    std::unique_ptr<Spool> spool_;
    std::unique_ptr<CoreListener> listener_;
};

TEST_F(TransportTest, EventsWaitWhileTheCoreIsAwayAndArriveOnceInOrder) {
    open_spool();
    const auto link = guard(local());
    std::vector<std::string> expected;
    const auto report = [&](int count) {
        for (int i = 0; i < count; ++i) {
            expected.push_back(std::to_string(expected.size()));
            ASSERT_EQ(link->report(an_event(expected.back())), expected.size());
        }
    };
    report(5);
    EXPECT_FALSE(link->wait_delivered(1, Micros(0)));
    for (int round = 0; round < 3; ++round) {
        listen_local();
        ASSERT_TRUE(link->wait_delivered(expected.size(), kPatience));
        report(20);
        ASSERT_TRUE(link->wait_delivered(expected.size(), kPatience));
        EXPECT_TRUE(link->state().connected);
        listener_.reset();
        report(3);
    }
    EXPECT_EQ(sink_.requests().size(), expected.size() - 3);
    listen_local();
    ASSERT_TRUE(link->wait_delivered(expected.size(), kPatience));
    EXPECT_EQ(sink_.requests(), expected);
    EXPECT_TRUE(sink_.stream().gaps.empty());
}

TEST_F(TransportTest, TheSocketIsForItsUsersOnly) {
    listen_local();
    struct stat info{};
    ASSERT_EQ(::stat(local().path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    listener_.reset();
    EXPECT_NE(::stat(local().path.c_str(), &info), 0);
    LocalEndpoint shared = local();
    shared.group = true;
    listen({shared, {}, 256});
    ASSERT_EQ(::stat(local().path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0660u);
}

TEST_F(TransportTest, AnotherUserIsRefusedAtBothEnds) {
    LocalEndpoint others = local();
    others.peers = {::geteuid() + 1};
    listen({others, {}, 256});
    // The core hangs up on us…
    Connection connection(real_clock(), connect_local(local()).value());
    Bytes out;
    Bytes in;
    EXPECT_FALSE(connection.exchange(out, in, nullptr, kPatience).has_value());
    EXPECT_TRUE(in.empty());
    // …and we would not talk to a core of another user.
    EXPECT_EQ(connect_local(others).error().code, Code::Denied);
    open_spool();
    EXPECT_EQ(refusal(others).code, Code::Denied);
    EXPECT_TRUE(listener_->connected().empty());
}

TEST_F(TransportTest, AStaleSocketIsReplacedALiveOneIsNot) {
    listen_local();
    const auto second = CoreListener::start(doors(), sink_, {local(), {}, 256});
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, Code::Busy);
    listener_.reset();
    {
        const UniqueFd left = link::listen_local(local()).value();
    }
    listen_local();
    open_spool();
    const auto link = guard(local());
    EXPECT_TRUE(link->wait_delivered(link->report(an_event("a")).value(), kPatience));
}

TEST_F(TransportTest, AFileIsNeverTakenForASocket) {
    ASSERT_TRUE(real_disk().write_file(local().path, as_bytes("precious")).has_value());
    EXPECT_EQ(CoreListener::start(doors(), sink_, {local(), {}, 256}).error().code, Code::Busy);
    EXPECT_EQ(real_disk().read_file(local().path, 100).value().size(), 8u);
    LocalEndpoint endless{std::string(200, 'x'), false, {}};
    EXPECT_EQ(connect_local(endless).error().code, Code::BadInput);
}

TEST_F(TransportTest, OverMutualTls) {
    const TestAuthority ca;
    listen_tls(ca.identity("DNS:core"));
    open_spool();
    const auto link = guard(remote(ca.identity("DNS:cabinet-1")));
    std::vector<std::string> expected;
    for (int i = 0; i < 30; ++i) {
        expected.push_back(std::to_string(i));
        ASSERT_TRUE(link->report(an_event(expected.back(), 30'000)).has_value());
    }
    EXPECT_TRUE(link->wait_delivered(30, kPatience));
    EXPECT_EQ(sink_.requests(), expected);
}

TEST_F(TransportTest, WrongCertificatesAreRefused) {
    const TestAuthority ca;
    const TestAuthority other("Other CA");
    listen_tls(ca.identity("DNS:core"));
    open_spool();
    ASSERT_TRUE(spool_->append(an_event("a")).has_value());
    // We do not trust the core's authority, its name is not the one, it does not trust ours.
    EXPECT_EQ(refusal(remote(ca.identity("DNS:cabinet-1", other))).code, Code::Denied);
    EXPECT_EQ(refusal(remote(ca.identity("DNS:cabinet-1"), "other-core")).code, Code::Denied);
    EXPECT_EQ(refusal(remote(other.identity("DNS:cabinet-1", ca))).code, Code::Denied);
    // A certificate of another node, though of the right authority.
    const Error node = refusal(remote(ca.identity("DNS:cabinet-2")));
    EXPECT_EQ(node.code, Code::Denied);
    EXPECT_NE(node.what.en.find("node"), std::string::npos);
    EXPECT_TRUE(sink_.requests().empty());
}

TEST_F(TransportTest, ANameWithAnotherKeyIsRefused) {
    listen_local();
    open_spool(1);
    {
        const auto link = guard(local());
        ASSERT_TRUE(link->wait_delivered(link->report(an_event("a")).value(), kPatience));
    }
    open_spool(2);
    ASSERT_TRUE(spool_->append(an_event("b")).has_value());
    EXPECT_EQ(refusal(local()).code, Code::Denied);
    EXPECT_EQ(sink_.requests(), (std::vector<std::string>{"a"}));
}

TEST_F(TransportTest, OrdersReachTheirSource) {
    listen_local();
    open_spool();
    event::Order order;
    order.id = "o-1";
    EXPECT_EQ(listener_->send(SourceId("mail"), NodeId("cabinet-1"), order).error().code,
              Code::Unavailable);
    const auto link = guard(local());
    ASSERT_TRUE(link->wait_delivered(link->report(an_event("a")).value(), kPatience));
    ASSERT_EQ(listener_->connected().size(), 1u);
    EXPECT_EQ(listener_->connected()[0], spool_->self());
    ASSERT_TRUE(listener_->send(SourceId("mail"), NodeId("cabinet-1"), order).has_value());
    EXPECT_TRUE(eventually([&] { return sink_.orders_done().size() == 1; }));
    const std::lock_guard held(mutex_);
    EXPECT_EQ(obeyed_, (std::vector<std::string>{"o-1"}));
    order.target = "\xFF";
    EXPECT_EQ(listener_->send(SourceId("mail"), NodeId("cabinet-1"), order).error().code,
              Code::BadInput);
}

TEST_F(TransportTest, ANewerConnectionReplacesTheOlder) {
    listen_local();
    open_spool();
    const auto converse = [&](Connection& connection, GuardSession& session) -> Status {
        Bytes out;
        Bytes in;
        while (!session.welcomed()) {
            append(out, session.take_output());
            TRY_STATUS(connection.exchange(out, in, nullptr, kPatience));
            TRY_STATUS(session.feed(std::exchange(in, {})));
        }
        return {};
    };
    const auto obey = [](const event::Order&) -> Status { return {}; };
    Connection first(real_clock(), connect_local(local()).value());
    GuardSession first_session(*spool_, spool_->self(), spool_->key(), {}, random_, obey);
    ASSERT_TRUE(converse(first, first_session).has_value());
    Connection second(real_clock(), connect_local(local()).value());
    GuardSession second_session(*spool_, spool_->self(), spool_->key(), {}, random_, obey);
    ASSERT_TRUE(converse(second, second_session).has_value());
    Bytes out;
    Bytes in;
    EXPECT_FALSE(first.exchange(out, in, nullptr, kPatience).has_value());
    EXPECT_EQ(listener_->connected().size(), 1u);
}

TEST_F(TransportTest, ConnectionsHaveALimit) {
    listen({local(), {}, 1});
    Connection first(real_clock(), connect_local(local()).value());
    Connection second(real_clock(), connect_local(local()).value());
    Bytes out;
    Bytes in;
    EXPECT_FALSE(second.exchange(out, in, nullptr, kPatience).has_value());
}

TEST_F(TransportTest, WhatAStrangerSaysIsAnsweredAndEndsThere) {
    listen_local();
    Connection connection(real_clock(), connect_local(local()).value());
    Bytes out = to_bytes(as_bytes("GET / HTTP/1.1\r\nHost: core\r\n\r\n"));
    Bytes in;
    while (connection.exchange(out, in, nullptr, kPatience)) continue;
    FrameReader reader;
    reader.feed(in);
    const auto said = reader.next(kFrameBytesMax);
    ASSERT_TRUE(said.has_value() && *said);
    EXPECT_EQ(std::get<Refused>(**said).code, Code::BadInput);
}

TEST_F(TransportTest, ManyGuardsAtOnce) {
    listen_local();
    std::vector<std::unique_ptr<Spool>> spools;
    std::vector<std::unique_ptr<GuardLink>> links;
    for (int g = 0; g < 8; ++g) {
        open_spool(static_cast<std::uint8_t>(g + 1), "guard-" + std::to_string(g));
        links.push_back(guard(local()));
        spools.push_back(std::move(spool_));
        for (int i = 0; i < 20; ++i)
            ASSERT_TRUE(links.back()->report(an_event(std::to_string(i))).has_value());
    }
    for (int g = 0; g < 8; ++g) {
        EXPECT_TRUE(links[static_cast<std::size_t>(g)]->wait_delivered(20, kPatience));
        EXPECT_EQ(sink_.requests("guard-" + std::to_string(g)).size(), 20u);
    }
    links.clear();
}

TEST(Address, OnlyNumbersAndHosts) {
    sim::SimDisk disk;
    EXPECT_TRUE(resolve(disk, "127.0.0.1", 80).has_value());
    EXPECT_TRUE(resolve(disk, "::1", 80).has_value());
    EXPECT_EQ(resolve(disk, "core.house", 80).error().code, Code::NotFound);
    ASSERT_TRUE(disk.make_dirs("/etc").has_value());
    ASSERT_TRUE(
        disk.write_file("/etc/hosts", as_bytes("# 10.0.0.1 core.house\n127.0.0.1 localhost\n"
                                               "10.0.0.2\tdb core.house # ours\nbad wrong"))
            .has_value());
    const auto found = resolve(disk, "core.house", 80);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->storage.ss_family, AF_INET);
    EXPECT_EQ(resolve(disk, "wrong", 80).error().code, Code::NotFound);
    EXPECT_EQ(resolve(disk, "house", 80).error().code, Code::NotFound);
    EXPECT_EQ(find_in_hosts("::1 a b", "b"), "::1");
    EXPECT_EQ(find_in_hosts("::1", "::1"), "");
}

TEST(BackoffTest, GrowsByChanceUpToItsLimit) {
    sim::SimRandom random(1);
    Backoff backoff;
    Micros ceiling = Backoff::kFirst;
    for (int i = 0; i < 20; ++i) {
        const Micros pause = backoff.next(random);
        EXPECT_GE(pause, ceiling / 2);
        EXPECT_LE(pause, ceiling);
        ceiling = std::min(ceiling * 2, Backoff::kLongest);
    }
    EXPECT_EQ(ceiling, Backoff::kLongest);
    backoff.reset();
    EXPECT_LE(backoff.next(random), Backoff::kFirst);
}

}  // namespace
}  // namespace hygie::link
