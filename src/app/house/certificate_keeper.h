#pragma once

#include <string>
#include <vector>

#include "app/line/context.h"
#include "serve/certificate.h"
#include "serve/http_server.h"

namespace hygie::app {

/// The certificate that a server shows, for as long as it runs: the operator's own files, or one of
/// the house's authority. When it is renewed, new connections get the new one.
class CertificateKeeper {
  public:
    /// How often it looks whether the operator's files changed, or the house's own near their end.
    static constexpr Micros kLookEvery = std::chrono::seconds(2);
    static constexpr Micros kRenewEvery = std::chrono::hours(1);

    /// `cert` and `key` are the operator's; both empty: the house's own in `dir`, for `names`.
    static Result<CertificateKeeper> open(Context& context, std::string dir,
                                          std::vector<std::string> names, const std::string& cert,
                                          const std::string& key);

    const serve::CertificateFiles& files() const { return files_; }
    /// May be called at any rate. A certificate that does not work is logged, and the one before
    /// stays in use.
    void look(serve::HttpServer& server);

  private:
    CertificateKeeper(Context& context, std::string dir, std::vector<std::string> names)
        : context_(&context), dir_(std::move(dir)), names_(std::move(names)) {}
    Result<Bytes> content();
    Status renew_own();

    Context* context_;
    std::string dir_;
    std::vector<std::string> names_;
    serve::CertificateFiles files_;
    bool is_own_ = false;  ///< of the house
    Bytes shown_;          ///< what the server has
    SteadyTime looked_{};
};

}  // namespace hygie::app
