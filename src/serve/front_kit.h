#pragma once

#include <future>
#include <mutex>

#include "access/accounts/access_kit.h"
#include "serve/forms.h"
#include "serve/front.h"

/// A front without sockets: requests go in, answers come out, events are kept.
namespace hygie::serve {

inline constexpr const char* kUrl = "https://hygie.example:8443";
/// RFC 7636 appendix B.
inline constexpr const char* kVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
inline constexpr const char* kChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

inline std::string header_of(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers)
        if (key == name) return value;
    return "";
}

class FrontTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(accounts_->add(bench_.person(), access::kNobody));
        ASSERT_TRUE(accounts_->add(bench_.program(), access::kNobody));
        auto sessions = access::Sessions::open(bench_.doors(), "state", bench_.key, *accounts_);
        ASSERT_TRUE(sessions);
        sessions_ = std::move(*sessions);
        front_ = std::make_unique<Front>(parts());
    }

    /// The next process over the same disk.
    void start_again() {
        assertions_ = *access::Assertions::open(bench_.doors(), "state", bench_.key);
        front_ = std::make_unique<Front>(parts());
    }

    FrontParts parts() {
        event::Event origin;
        origin.source = SourceId("front");
        origin.node = NodeId("cabinet-1");
        return {
            bench_.doors(),
            *accounts_,
            *sessions_,
            sign_in_,
            *assertions_,
            kUrl,
            [this](std::vector<event::Event> events, std::function<void(Status)> done) {
                const std::scoped_lock lock(mutex_);
                if (ledger_is_down_) return done(fail(Code::Unavailable, {"panne", "down"}));
                events_.insert(events_.end(), events.begin(), events.end());
                done({});
            },
            origin,
            [](const access::Actor& actor, const Request& request, Reply reply) {
                reply(text_response(200, actor.id.str() + " " + request.path + "\n"));
            },
            [](const Request&, Reply reply) { reply(text_response(200, "capability\n")); },
            [](const Request& request) { return text_response(200, "log " + request.path + "\n"); },
            [this]() -> Status {
                if (ready_) return {};
                return fail(Code::Busy, {"pas prêt", "not ready"});
            },
            [] { return std::string("hygie_other 1\n"); },
            nullptr,
            {},
            {},
            nullptr,
            {},
            [](std::string_view path) {
                return std::string(path == "Patient" ? "GET, HEAD" : "");
            }};
    }

    Response ask(Request request) {
        std::promise<Response> promise;
        std::future<Response> answer = promise.get_future();
        if (request.peer.empty()) request.peer = "192.0.2.1";
        (*front_)(std::move(request),
                  [&](Response response) { promise.set_value(std::move(response)); });
        return answer.get();
    }
    Response get(const std::string& path, const std::string& query = "", Headers headers = {}) {
        return ask({"GET", path, query, std::move(headers), {}, ""});
    }
    Response post(const std::string& path, const Form& form, Headers headers = {}) {
        headers.emplace_back("content-type", "application/x-www-form-urlencoded");
        return ask(
            {"POST", path, "", std::move(headers), to_bytes(as_bytes(spell_form(form))), ""});
    }
    static std::string text(const Response& response) {
        return std::string(as_text(response.body));
    }

    static Form wish() {
        return {{"response_type", "code"},
                {"client_id", "logiciel"},
                {"redirect_uri", "https://logiciel.example/retour"},
                {"scope", "openid fhirUser user/*.rs"},
                {"state", "état-1"},
                {"aud", std::string(kUrl) + "/fhir"},
                {"code_challenge", kChallenge},
                {"code_challenge_method", "S256"},
                {"nonce", "n-1"}};
    }
    /// What a browser would send from the sign-in page.
    struct Filled {
        Form form;
        Headers headers;
    };
    Filled fill(const Form& asked, const std::string& login, const std::string& password) {
        const Response page = get("/oauth/authorize", spell_form(asked));
        EXPECT_EQ(page.status, 200) << text(page);
        const std::string set = header_of(page, "Set-Cookie");
        const std::string pair = set.substr(0, set.find(';'));
        Filled filled{asked, {{"cookie", pair}, {"origin", kUrl}}};
        filled.form["csrf"] = pair.substr(pair.find('=') + 1);
        filled.form["login"] = login;
        filled.form["password"] = password;
        return filled;
    }
    Response sign_in(const Form& asked, const std::string& login = "anne.martin",
                     const std::string& password = access::kPassphrase) {
        const Filled filled = fill(asked, login, password);
        return post("/oauth/authorize", filled.form, filled.headers);
    }
    /// The fields that the program receives at its address.
    static Form sent_back(const Response& response) {
        EXPECT_EQ(response.status, 303) << text(response);
        const std::string location = header_of(response, "Location");
        EXPECT_TRUE(location.starts_with("https://logiciel.example/retour?")) << location;
        return parse_form(location.substr(location.find('?') + 1)).value_or(Form{});
    }
    static Form redemption(const std::string& code) {
        return {{"grant_type", "authorization_code"},
                {"code", code},
                {"client_id", "logiciel"},
                {"redirect_uri", "https://logiciel.example/retour"},
                {"code_verifier", kVerifier}};
    }
    std::size_t count(event::Type type) {
        const std::scoped_lock lock(mutex_);
        return static_cast<std::size_t>(std::ranges::count(events_, type, &event::Event::type));
    }

    access::Bench bench_;
    std::unique_ptr<access::Accounts> accounts_ = bench_.open_accounts();
    std::unique_ptr<access::Sessions> sessions_;
    std::unique_ptr<access::Assertions> assertions_ =
        *access::Assertions::open(bench_.doors(), "state", bench_.key);
    access::SignIn sign_in_{bench_.doors(), *accounts_, bench_.key, access::kTestCost};
    std::mutex mutex_;
    std::vector<event::Event> events_;
    std::atomic<bool> ledger_is_down_ = false;
    std::atomic<bool> ready_ = true;
    std::unique_ptr<Front> front_;
};

}  // namespace hygie::serve
