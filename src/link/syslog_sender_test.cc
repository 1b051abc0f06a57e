#include "link/syslog_sender.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "host/clock.h"
#include "host/process.h"
#include "link/test_certificates.h"
#include "sim/sim_random.h"
#include "sim/temp_dir.h"

namespace hygie::link {
namespace {

constexpr Micros kPatience = std::chrono::seconds(60);

template <typename Predicate>
bool eventually(Predicate predicate) {
    const SteadyTime deadline = real_clock().steady() + kPatience;
    while (!predicate() && real_clock().steady() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return predicate();
}

/// A message as event::octet_counted frames it.
std::string framed(const std::string& text) {
    const std::string message = "<85>1 2026-11-24T08:30:00Z cabinet-1 hygie - - - " + text;
    return std::to_string(message.size()) + ' ' + message;
}

/// Debian's rsyslog on a loopback port of its own, with its files in a temporary directory.
class Rsyslog {
  public:
    explicit Rsyslog(const TlsIdentity& identity) {
        write("ca.pem", identity.ca_pem);
        write("cert.pem", identity.certificate_pem);
        write("key.pem", identity.key_pem.reveal());
        write("rsyslog.conf",
              "global(workDirectory=\"" + dir_.path() +
                  "\" maxMessageSize=\"64k\"\n"
                  "  defaultNetstreamDriver=\"ossl\" defaultNetstreamDriverCAFile=\"" +
                  dir_ / "ca.pem" +
                  "\"\n"
                  "  defaultNetstreamDriverCertFile=\"" +
                  dir_ / "cert.pem" +
                  "\"\n"
                  "  defaultNetstreamDriverKeyFile=\"" +
                  dir_ / "key.pem" +
                  "\")\n"
                  "module(load=\"imtcp\" streamDriver.name=\"ossl\" streamDriver.mode=\"1\"\n"
                  "  streamDriver.authMode=\"x509/certvalid\")\n"
                  "input(type=\"imtcp\" address=\"127.0.0.1\" port=\"0\" listenPortFileName=\"" +
                  dir_ / "port" +
                  "\")\n"
                  "template(name=\"plain\" type=\"string\" string=\"%msg%\\n\")\n"
                  "action(type=\"omfile\" file=\"" +
                  dir_ / "received" + "\" template=\"plain\")\n");
        const std::string conf = dir_ / "rsyslog.conf";
        const std::string pid_file = dir_ / "pid";
        child_ = ::fork();
        if (child_ == 0) {
            // Its complaints about what it is sent belong to the test.
            if (!::freopen((dir_ / "log").c_str(), "w", stderr)) ::_exit(126);
            ::execlp("rsyslogd", "rsyslogd", "-n", "-f", conf.c_str(), "-i", pid_file.c_str(),
                     nullptr);
            ::_exit(127);
        }
        // It names its port before it listens there, and writes its pid after.
        started_ = eventually([&] { return !read("pid").empty() || !running(); }) && running();
    }
    ~Rsyslog() {
        if (!running()) return;
        ::kill(child_, SIGTERM);
        ::waitpid(child_, nullptr, 0);
    }

    bool started() const { return started_; }
    std::uint16_t port() { return static_cast<std::uint16_t>(std::stoi(read("port"))); }
    std::string received() { return read("received"); }
    std::string log() { return read("log"); }

  private:
    void write(const std::string& name, const std::string& text) {
        ASSERT_TRUE(real_disk().write_file(dir_ / name, as_bytes(text)).has_value());
    }
    std::string read(const std::string& name) {
        const auto bytes = real_disk().read_file(dir_ / name, 1 << 20);
        return bytes ? std::string(as_text(*bytes)) : "";
    }
    bool running() {
        if (child_ > 0 && ::waitpid(child_, nullptr, WNOHANG) != 0) child_ = -1;
        return child_ > 0;
    }

    sim::TempDir dir_;
    pid_t child_ = -1;
    bool started_ = false;
};

class SyslogSenderTest : public testing::Test {
  protected:
    void SetUp() override {
        const auto found = real_process().run({"rsyslogd", "-v"}, {}, {});
        if (!found) GTEST_SKIP() << "rsyslogd is not installed: packages rsyslog, rsyslog-openssl";
        collector_ = std::make_unique<Rsyslog>(ca_.identity("DNS:collector"));
        ASSERT_TRUE(collector_->started()) << collector_->log();
    }
    SyslogSender sender(const TlsIdentity& identity, const std::string& name = "collector") {
        return SyslogSender({real_disk(), real_clock(), random_},
                            {"127.0.0.1", collector_->port(), name,
                             TlsContext::client(identity, TlsVersions::From12).value()},
                            kPatience);
    }

    sim::SimRandom random_{1};
    TestAuthority ca_;
    std::unique_ptr<Rsyslog> collector_;
};

TEST_F(SyslogSenderTest, RsyslogReceivesEveryMessageWhole) {
    SyslogSender to_collector = sender(ca_.identity("DNS:cabinet-1"));
    const std::string large(40'000, 'x');
    ASSERT_TRUE(to_collector.send(as_bytes(framed("first") + framed("second"))).has_value());
    // This rsyslog closes a socket's descriptor twice: a file that another of its threads opens in
    // between would be lost. Its output must be open before the first connection ends.
    ASSERT_TRUE(eventually([&] { return collector_->received() == "first\nsecond\n"; }));
    ASSERT_TRUE(to_collector.send(as_bytes(framed(large))).has_value());
    ASSERT_TRUE(to_collector.close().has_value());
    ASSERT_TRUE(to_collector.send(as_bytes(framed("after a new connection"))).has_value());
    ASSERT_TRUE(to_collector.close().has_value());
    const std::string expected = "first\nsecond\n" + large + "\nafter a new connection\n";
    EXPECT_TRUE(eventually([&] { return collector_->received().size() >= expected.size(); }))
        << collector_->log();
    EXPECT_EQ(collector_->received(), expected);
}

TEST_F(SyslogSenderTest, ACollectorThatIsNotOursIsRefused) {
    const TestAuthority other("Other CA");
    const Status untrusted =
        sender(ca_.identity("DNS:cabinet-1", other)).send(as_bytes(framed("secret")));
    ASSERT_FALSE(untrusted.has_value());
    EXPECT_EQ(untrusted.error().code, Code::Denied);
    EXPECT_EQ(sender(ca_.identity("DNS:cabinet-1"), "another")
                  .send(as_bytes(framed("secret")))
                  .error()
                  .code,
              Code::Denied);
    EXPECT_EQ(collector_->received(), "");
}

TEST_F(SyslogSenderTest, ARefusalOfOurCertificateIsHeard) {
    const TestAuthority other("Other CA");
    SyslogSender stranger = sender(other.identity("DNS:stranger", ca_));
    Status heard = stranger.send(as_bytes(framed("ignored")));
    if (heard) heard = stranger.close();
    ASSERT_FALSE(heard.has_value());
    EXPECT_EQ(heard.error().code, Code::Denied);
    EXPECT_EQ(collector_->received(), "");
}

TEST(SyslogSenderAlone, ClearErrors) {
    sim::SimRandom random(1);
    const TestAuthority ca;
    const TlsContext tls = TlsContext::client(ca.identity("DNS:a"), TlsVersions::From12).value();
    const Doors doors{real_disk(), real_clock(), random};
    // A port that was ours a moment ago: nobody listens there.
    const std::uint16_t free_port = port_of(listen_tcp(real_disk(), "127.0.0.1", 0)->get());
    SyslogSender absent(doors, {"127.0.0.1", free_port, "collector", tls});
    EXPECT_EQ(absent.send(as_bytes(framed("x"))).error().code, Code::Unavailable);
    SyslogSender named(doors, {"collector.invalid", 6514, "collector", tls});
    const Status unknown = named.send(as_bytes(framed("x")));
    ASSERT_FALSE(unknown.has_value());
    EXPECT_EQ(unknown.error().code, Code::NotFound);
    EXPECT_NE(unknown.error().remedy.en.find("DNS"), std::string::npos);
    // A collector that accepts and says nothing.
    const UniqueFd silent = listen_tcp(real_disk(), "127.0.0.1", 0).value();
    SyslogSender waiting(doors, {"127.0.0.1", port_of(silent.get()), "collector", tls},
                         std::chrono::milliseconds(50));
    EXPECT_EQ(waiting.send(as_bytes(framed("x"))).error().code, Code::Unavailable);
}

}  // namespace
}  // namespace hygie::link
