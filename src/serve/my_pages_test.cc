#include <gtest/gtest.h>

#include <algorithm>

#include "serve/front_kit.h"

/// Signing in to the core's own pages.
namespace hygie::serve {
namespace {

class MyPages : public FrontTest {
  protected:
    void SetUp() override {
        FrontTest::SetUp();
        FrontParts with_circles = parts();
        with_circles.circles = [](const access::Actor& actor, const Request& request, Reply reply) {
            reply(text_response(200, actor.id.str() + " " + request.path + "\n"));
        };
        front_ = std::make_unique<Front>(std::move(with_circles));
    }
    static std::string pair_of(const std::string& cookie) {
        return cookie.substr(0, cookie.find(';'));
    }
    static std::string query_of(const std::string& location) {
        return location.substr(location.find('?') + 1);
    }
    Response home(const std::string& session) { return get("/my", "", {{"cookie", session}}); }
};

TEST_F(MyPages, ACodeShownTwiceEndsWhatItsFirstUseGave) {
    const Response away = get("/my");
    const std::string way = pair_of(header_of(away, "Set-Cookie"));
    const Response allowed = sign_in(*parse_form(query_of(header_of(away, "Location"))));
    const std::string back = query_of(header_of(allowed, "Location"));
    const Response first = get("/my/back", back, {{"cookie", way}});
    EXPECT_EQ(first.status, 303) << text(first);
    const std::string session = pair_of(header_of(first, "Set-Cookie"));
    EXPECT_EQ(text(home(session)), "anne.martin /circles/home\n");

    EXPECT_EQ(get("/my/back", back, {{"cookie", way}}).status, 403);
    EXPECT_EQ(home(session).status, 303) << "to sign in again";
    const std::scoped_lock lock(mutex_);
    EXPECT_EQ(events_.back().type, event::Type::SignInRefused);
    EXPECT_EQ(events_.back().detail.at("why"), "code replayed");
    EXPECT_EQ(events_.back().outcome, event::Outcome::SeriousFailure);
}

TEST_F(MyPages, ACodeThatNeverWasIsRefusedAndTraced) {
    const std::string way = pair_of(header_of(get("/my"), "Set-Cookie"));
    const std::string state = way.substr(way.find('.') + 1);
    EXPECT_EQ(get("/my/back", "code=made-up&state=" + state, {{"cookie", way}}).status, 403);
    EXPECT_EQ(count(event::Type::SignInRefused), 1U);
}

}  // namespace
}  // namespace hygie::serve
