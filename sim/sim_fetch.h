#pragma once

#include <functional>
#include <utility>

#include "host/fetch.h"

namespace hygie::sim {

/// The web by script: the handler answers for every server, and may be called by several threads at
/// once.
class SimFetch final : public Fetch {
  public:
    using Handler = std::function<Result<FetchResponse>(const FetchRequest&)>;
    explicit SimFetch(Handler handler) : handler_(std::move(handler)) {}

    Result<FetchResponse> fetch(const FetchRequest& request) override {
        Result<FetchResponse> response = handler_(request);
        if (response && response->body.size() > request.response_bytes_max)
            return fail(Code::Full, {"réponse trop grande", "answer too large"});
        return response;
    }

  private:
    Handler handler_;
};

}  // namespace hygie::sim
