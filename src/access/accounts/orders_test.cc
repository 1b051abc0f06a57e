#include "access/accounts/orders.h"

#include <gtest/gtest.h>

#include "access/accounts/access_kit.h"
#include "access/accounts/refreshes.h"

namespace hygie::access {
namespace {

using Kind = event::Order::Kind;

/// Two processes share the state: the one that obeys, and the one that serves.
class Orders : public testing::Test {
  protected:
    struct Process {
        explicit Process(Bench& bench) : accounts(bench.open_accounts()) {
            sessions = std::move(*Sessions::open(bench.doors(), "state", bench.key, *accounts));
            refreshes = std::move(
                *Refreshes::open(bench.doors(), "state", bench.key, *accounts, *sessions));
        }
        std::unique_ptr<Accounts> accounts;
        std::unique_ptr<Sessions> sessions;
        std::unique_ptr<Refreshes> refreshes;
    };
    struct Held {
        Sessions::Opened session;
        std::string refresh;
    };
    void SetUp() override { ASSERT_TRUE(serving_.accounts->add(bench_.person(), kNobody)); }
    Held sign_in() {
        auto opened = serving_.sessions->prepare(
            {ActorId("anne.martin"), "otp", ActorId("logiciel"), {"user/*.rs"}, kShortSession});
        EXPECT_TRUE(opened && serving_.sessions->confirm(*opened));
        auto token = serving_.refreshes->begin({ActorId("anne.martin"),
                                                "otp",
                                                ActorId("logiciel"),
                                                {"user/*.rs"},
                                                bench_.clock.now() + kRefreshStaff},
                                               opened->session);
        EXPECT_TRUE(token);
        return {*opened, token->reveal()};
    }
    bool lives(const Held& held) {
        const auto look = serving_.refreshes->look(held.refresh, ActorId("logiciel"));
        const bool refreshes = look && !look->grant.login.empty();
        const bool works = serving_.sessions->find(held.session.token.reveal()) != nullptr;
        EXPECT_EQ(refreshes, works);
        return works;
    }
    Status obey(Kind kind, const std::string& target) {
        event::Order order;
        order.id = "o-1";
        order.kind = kind;
        order.target = target;
        order.reason.text = {"poste perdu", "machine lost"};
        return access::obey(*ordering_.accounts, *ordering_.sessions, order, kNobody);
    }

    Bench bench_;
    Process serving_{bench_}, ordering_{bench_};
};

TEST_F(Orders, CutOneSessionAndWhatRefreshesItInEveryProcessAtOnce) {
    const Held lost = sign_in(), other = sign_in();
    ASSERT_TRUE(lives(lost) && lives(other));
    ASSERT_TRUE(obey(Kind::CutSession, "session/" + lost.session.session.id));
    EXPECT_FALSE(lives(lost));
    EXPECT_TRUE(lives(other));
    const auto traces = ordering_.accounts->untraced();
    ASSERT_FALSE(traces.empty());
    EXPECT_EQ(traces.back().detail.at("change"), "session ended");
    EXPECT_FALSE(obey(Kind::CutSession, "session/" + lost.session.session.id)) << "it is over";
}

TEST_F(Orders, CutAnAccountsSessionsOrHaveItsPersonProveAnew) {
    for (const Kind kind : {Kind::CutSession, Kind::RequireStepUp}) {
        const Held one = sign_in(), other = sign_in();
        ASSERT_TRUE(obey(kind, "account/anne.martin"));
        EXPECT_FALSE(lives(one) || lives(other));
    }
    EXPECT_TRUE(lives(sign_in())) << "the account itself stays open";
}

TEST_F(Orders, RefuseWhatIsAboutNobodyHere) {
    const Held held = sign_in();
    EXPECT_EQ(obey(Kind::FreezeWriter, "account/anne.martin").error().code, Code::BadInput);
    EXPECT_EQ(obey(Kind::CutSession, "anne.martin").error().code, Code::BadInput);
    EXPECT_EQ(obey(Kind::RequireStepUp, "session/x").error().code, Code::BadInput);
    EXPECT_EQ(obey(Kind::CutSession, "account/nobody.here").error().code, Code::NotFound);
    EXPECT_TRUE(lives(held));
}

}  // namespace
}  // namespace hygie::access
