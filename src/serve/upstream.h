#pragma once

#include <map>
#include <mutex>
#include <string>

#include "access/accounts/identity.h"
#include "base/sensitive.h"
#include "base/text.h"
#include "host/clock.h"
#include "host/fetch.h"
#include "host/random.h"
#include "serve/forms.h"

namespace hygie::serve {

/// An identity provider where people may sign in instead of here: Pro Santé Connect, or that of the
/// house.
struct UpstreamSettings {
    std::string issuer;  ///< "https://auth.esw.esante.gouv.fr/auth/realms/esante-wallet"
    std::string client;
    Sensitive<std::string> secret;
    std::string scope = "openid";  ///< Pro Santé Connect: "openid scope_all"
    std::string parameters;        ///< further ones, "acr_values=eidas1"
    std::string auth = "oidc";     ///< how traces name it: "psc"
    Text name;                     ///< on the button
};

/// The relying party of one provider (OpenID Connect Core, code flow, PKCE S256): discovery, state,
/// nonce, exchange, judgement. Calls wait for the provider. Thread-safe.
class Upstream {
  public:
    static constexpr Micros kWaitMax = std::chrono::minutes(10);
    static constexpr std::size_t kPendingMax = 10'000;
    static constexpr Micros kDiscoveryAge = std::chrono::hours(1);

    Upstream(Fetch& fetch, Clock& clock, Random& random, UpstreamSettings settings)
        : fetch_(fetch), clock_(clock), random_(random), settings_(std::move(settings)) {}

    const UpstreamSettings& settings() const { return settings_; }

    struct Begun {
        std::string address;  ///< where to send the browser
        std::string browser;  ///< what it must bring back, as a cookie
    };
    /// `kept` is what the program had asked here. Code::Unavailable when the provider is.
    Result<Begun> begin(Form kept, const std::string& redirect);

    struct Arrived {
        access::Identity identity;
        Form kept;
    };
    /// What the browser came back with. Code::Denied when it is not the browser that left, or when
    /// the person gave up; Code::Forged or Code::Stale when the provider lies.
    Result<Arrived> finish(const Form& answer, std::string_view browser,
                           const std::string& redirect);

  private:
    struct Pending {
        std::string browser, nonce, verifier;
        Form kept;
        WallTime end;
    };
    Result<access::Provider> provider();
    Result<Bytes> get(const std::string& url);
    Result<Bytes> post(const std::string& url, const Form& form);
    Result<Pending> take(std::string_view state, std::string_view browser);

    Fetch& fetch_;
    Clock& clock_;
    Random& random_;
    UpstreamSettings settings_;
    std::mutex mutex_;
    std::map<std::string, Pending, std::less<>> pending_;  ///< by state
    access::Provider known_;
    WallTime known_until_{};
};

}  // namespace hygie::serve
