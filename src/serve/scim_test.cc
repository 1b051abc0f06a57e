#include "serve/scim.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "serve/front_kit.h"
#include "serve/scim_user.h"

namespace hygie::serve {
namespace {

using Json = nlohmann::json;

class ScimTest : public FrontTest {
  protected:
    void SetUp() override {
        FrontTest::SetUp();
        ASSERT_TRUE(accounts_->change("logiciel", access::kNobody, "scopes",
                                      [](access::Account& a) -> Status {
                                          a.scopes.push_back("hygie/accounts");
                                          return {};
                                      }));
        token_ = token({"hygie/accounts"});
    }
    std::string token(const std::vector<std::string>& scopes) {
        const auto opened =
            sessions_->prepare({ActorId("logiciel"), "key", {}, scopes, access::kShortSession});
        EXPECT_TRUE(sessions_->confirm(*opened));
        return opened->token.reveal();
    }
    Response scim(const std::string& method, const std::string& path, const Json& body = nullptr,
                  const std::string& query = "") {
        Request request{
            method, "/scim/v2" + path, query, {{"authorization", "Bearer " + token_}}, {}, ""};
        if (!body.is_null()) request.body = to_bytes(as_bytes(body.dump()));
        return ask(std::move(request));
    }
    static Json json(const Response& response) { return Json::parse(text(response)); }
    static Json zoe() {
        return {{"schemas", {kUserSchema}},
                {"userName", "zoe.roy"},
                {"name", {{"givenName", "Zoé"}, {"familyName", "Roy"}}},
                {"userType", "care"},
                {"active", true},
                {kHygieSchema, {{"person", "Practitioner/9"}, {"profession", "60"}}}};
    }
    static Json patch(const Json& operations) {
        return {{"schemas", {"urn:ietf:params:scim:api:messages:2.0:PatchOp"}},
                {"Operations", operations}};
    }

    std::string token_;
};

TEST_F(ScimTest, IsClosedToWhoMayNotKeepAccounts) {
    EXPECT_EQ(get("/scim/v2/Users").status, 401);
    for (const std::vector<std::string>& scopes :
         {std::vector<std::string>{"system/*.cruds"}, std::vector<std::string>{"hygie/account"}}) {
        token_ = token(scopes);
        EXPECT_EQ(scim("GET", "/Users").status, 403);
        EXPECT_EQ(scim("POST", "/Users", zoe()).status, 403);
        EXPECT_EQ(scim("GET", "/Schemas").status, 403);
    }
    EXPECT_EQ(accounts_->find("zoe.roy"), nullptr);
}

TEST_F(ScimTest, ADirectoryBringsFindsChangesAndClosesSomebody) {
    const Response made = scim("POST", "/Users", zoe());
    ASSERT_EQ(made.status, 201) << text(made);
    EXPECT_EQ(made.content_type, "application/scim+json");
    EXPECT_EQ(header_of(made, "Location"), std::string(kUrl) + "/scim/v2/Users/zoe.roy");
    EXPECT_EQ(json(made)["id"], "zoe.roy");
    EXPECT_EQ(json(made)["name"]["familyName"], "Roy");
    EXPECT_EQ(accounts_->find("zoe.roy")->sponsor.str(), "anne.martin") << "that of the program";
    EXPECT_EQ(json(scim("GET", "/Users", nullptr,
                        "filter=userName%20eq%20%22zoe.roy%22"))["totalResults"],
              1);
    EXPECT_EQ(
        json(scim("GET", "/Users", nullptr, "filter=userName%20eq%20%22x%22"))["totalResults"], 0);

    // As Entra ID spells it.
    const Response off = scim("PATCH", "/Users/zoe.roy",
                              patch({{{"op", "Replace"}, {"path", "active"}, {"value", "False"}}}));
    ASSERT_EQ(off.status, 200) << text(off);
    EXPECT_EQ(json(off)["active"], false);
    EXPECT_TRUE(accounts_->find("zoe.roy")->disabled);
    // As Okta spells it.
    EXPECT_EQ(json(scim("PATCH", "/Users/zoe.roy",
                        patch({{{"op", "replace"}, {"value", {{"active", true}}}}})))["active"],
              true);
    const Json moved =
        json(scim("PATCH", "/Users/zoe.roy",
                  patch({{{"op", "replace"}, {"path", "name.familyName"}, {"value", "Roy-Petit"}},
                         {{"op", "add"},
                          {"path", std::string(kHygieSchema) + ":profession"},
                          {"value", "10"}}})));
    EXPECT_EQ(moved["displayName"], "Zoé Roy-Petit");
    EXPECT_EQ(accounts_->find("zoe.roy")->profession, "10");
    EXPECT_EQ(json(scim("PATCH", "/Users/zoe.roy",
                        patch({{{"op", "replace"},
                                {"path", "displayName"},
                                {"value", "Zoé Leroy"}}})))["name"]["formatted"],
              "Zoé Leroy");
    Json put = zoe();
    put["userType"] = "desk";
    EXPECT_EQ(json(scim("PUT", "/Users/zoe.roy", put))["userType"], "desk");
    EXPECT_EQ(scim("DELETE", "/Users/zoe.roy").status, 204);
    EXPECT_TRUE(accounts_->find("zoe.roy")->disabled) << "closed, and still named by its traces";
    EXPECT_EQ(scim("POST", "/Users", zoe()).status, 409) << "a login is never given twice";
}

TEST_F(ScimTest, KeepsTheRulesOfAccounts) {
    const auto refused = [&](const std::function<void(Json&)>& edit) {
        Json user = zoe();
        edit(user);
        const Response response = scim("POST", "/Users", user);
        EXPECT_EQ(json(response)["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error");
        return response.status;
    };
    EXPECT_EQ(refused([](Json& u) { u["userName"] = "accueil"; }), 400);
    EXPECT_EQ(refused([](Json& u) { u["name"] = {{"formatted", "Secrétariat"}}; }), 400);
    EXPECT_EQ(refused([](Json& u) { u["password"] = "trombone girafe ocre"; }), 400);
    EXPECT_EQ(refused([](Json& u) { u["userType"] = "boss"; }), 400);
    EXPECT_EQ(refused([](Json& u) { u["active"] = "maybe"; }), 400);
    EXPECT_EQ(refused([](Json& u) { u[kHygieSchema]["end"] = "2199-01-01"; }), 400);
    EXPECT_EQ(refused([](Json& u) { u[kEnterpriseSchema] = {{"manager", {{"value", "ghost"}}}}; }),
              400);
    EXPECT_EQ(refused([](Json& u) { u["userName"] = "anne.martin"; }), 409);
    EXPECT_EQ(scim("POST", "/Users").status, 400) << "no body";
    EXPECT_EQ(accounts_->list().size(), 2U);
    ASSERT_EQ(scim("POST", "/Users", zoe()).status, 201);
    Json renamed = zoe();
    renamed["userName"] = "zoe.petit";
    EXPECT_EQ(scim("PUT", "/Users/zoe.roy", renamed).status, 400);
    EXPECT_EQ(scim("PATCH", "/Users/zoe.roy",
                   patch({{{"op", "replace"}, {"path", "userName"}, {"value", "x.y.z"}}}))
                  .status,
              400);
    for (const Json& bad :
         {Json::array(), Json{{{"op", "drop"}, {"path", "active"}}},
          Json{{{"op", "replace"}, {"path", "active"}}},
          Json{{{"op", "replace"}, {"path", "emails[type eq \"work\"].value"}, {"value", "x"}}}})
        EXPECT_EQ(scim("PATCH", "/Users/zoe.roy", patch(bad)).status, 400) << bad.dump();
    // Wrong types where others are expected: wrong input, never a failure of ours.
    for (const Json& bad :
         {Json{{{"op", "replace"}, {"path", kHygieSchema}, {"value", 5}},
               {{"op", "add"}, {"path", std::string(kHygieSchema) + ":profession"}, {"value", 1}}},
          Json{{{"op", "replace"}, {"path", "name"}, {"value", "x"}},
               {{"op", "replace"}, {"path", "name.familyName"}, {"value", "y"}}},
          Json{{{"op", "replace"}, {"value", {{"name", {{"formatted", 5}}}}}}},
          Json{{{"op", "replace"}, {"path", "name.formatted"}, {"value", Json::array()}}},
          Json{{{"op", "replace"}, {"path", "displayName"}, {"value", {{"x", 1}}}}},
          Json{{{"op", "replace"}, {"path", kEnterpriseSchema}, {"value", "x"}},
               {{"op", "replace"},
                {"path", std::string(kEnterpriseSchema) + ":manager"},
                {"value", "x"}}},
          Json{{{"op", "replace"}, {"path", kEnterpriseSchema}, {"value", "x"}}},
          Json{{{"op", "replace"},
                {"path", std::string(kEnterpriseSchema) + ":manager"},
                {"value", 7}}},
          Json{{{"op", 5}, {"path", "active"}, {"value", true}}}, Json{5}, Json("x")}) {
        const Response refused_patch = scim("PATCH", "/Users/zoe.roy", patch(bad));
        EXPECT_EQ(refused_patch.status, 400) << bad.dump();
        EXPECT_EQ(json(refused_patch)["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error");
    }
    EXPECT_EQ(scim("GET", "/Users/absent").status, 404);
    EXPECT_EQ(
        scim("PATCH", "/Users/absent", patch({{{"op", "replace"}, {"value", Json::object()}}}))
            .status,
        404);
    EXPECT_EQ(scim("GET", "/Users", nullptr, "filter=name%20co%20%22a%22").status, 400);
}

TEST_F(ScimTest, ListsByPages) {
    ASSERT_EQ(scim("POST", "/Users", zoe()).status, 201);
    const Json page = json(scim("GET", "/Users", nullptr, "startIndex=2&count=1"));
    EXPECT_EQ(page["totalResults"], 3);
    EXPECT_EQ(page["itemsPerPage"], 1);
    EXPECT_EQ(page["Resources"][0]["userName"], "logiciel");
    EXPECT_EQ(json(scim("GET", "/Users", nullptr, "startIndex=9"))["itemsPerPage"], 0);
    EXPECT_EQ(scim("GET", "/Users", nullptr, "count=x").status, 400);
    EXPECT_FALSE(text(scim("GET", "/Users")).contains("argon2")) << "no secret is ever shown";
}

TEST_F(ScimTest, DescribesItself) {
    EXPECT_EQ(json(scim("GET", "/ServiceProviderConfig"))["patch"]["supported"], true);
    EXPECT_EQ(json(scim("GET", "/ResourceTypes"))["Resources"][0]["endpoint"], "/Users");
    EXPECT_EQ(json(scim("GET", "/Schemas"))["totalResults"], 3);
}

TEST_F(ScimTest, TracesWhoChangedWhat) {
    ASSERT_EQ(scim("POST", "/Users", zoe()).status, 201);
    front_.reset();
    const std::scoped_lock lock(mutex_);
    const auto found = std::ranges::find_if(
        events_, [](const event::Event& e) { return e.subject.object.str() == "account/zoe.roy"; });
    ASSERT_NE(found, events_.end());
    EXPECT_EQ(found->actor.id.str(), "logiciel");
}

TEST_F(ScimTest, TracesWhatItRefuses) {
    EXPECT_EQ(scim("PATCH", "/Users/absent", patch({{{"op", "remove"}}})).status, 404);
    EXPECT_EQ(scim("POST", "/Users", {{"userName", 5}}).status, 400);
    token_ = token({"system/*.cruds"});
    EXPECT_EQ(scim("GET", "/Users").status, 403);
    front_.reset();
    const std::scoped_lock lock(mutex_);
    std::vector<std::pair<event::Type, std::string>> refused;
    for (const event::Event& event : events_)
        if (event.outcome == event::Outcome::MinorFailure && event.actor.id.str() == "logiciel")
            refused.emplace_back(event.type, event.detail.at("status"));
    using enum event::Type;
    EXPECT_EQ(refused,
              (decltype(refused){
                  {AccountChanged, "404"}, {AccountChanged, "400"}, {AccessRefused, "403"}}));
}

}  // namespace
}  // namespace hygie::serve
