#include "host/fetch.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <memory>
#include <span>
#include <stop_token>

#include "base/check.h"
#include "host/post.h"
#include "host/words.h"

namespace hygie {
namespace {

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

struct Sink {
    Bytes body;
    std::size_t bytes_max;
    bool too_large = false;
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* user) {
    auto& sink = *static_cast<Sink*>(user);
    if (size > sink.bytes_max - sink.body.size()) {
        sink.too_large = true;
        return 0;  // anything but `size` makes libcurl stop
    }
    append(sink.body, as_bytes({data, size}));
    return size;
}

/// The host of a URL, for messages: the rest of a URL may carry secrets.
std::string host_of(const std::string& url) {
    const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
    char* host = nullptr;
    if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
        curl_url_get(parsed.get(), CURLUPART_HOST, &host, 0) != CURLUE_OK)
        return "?";
    std::string name(host);
    curl_free(host);
    return name;
}

std::unexpected<Error> failure(CURLcode code, const FetchRequest& request, const Sink& sink) {
    const std::string host = host_of(request.url);
    if (sink.too_large)
        return fail(Code::Full,
                    {fmt::format("la réponse de {} dépasse {} octets", host, sink.bytes_max),
                     fmt::format("the answer of {} exceeds {} bytes", host, sink.bytes_max)},
                    {"vérifiez que l'adresse est celle du service attendu",
                     "check that the address is that of the service meant"});
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return fail(Code::BadInput, {"adresse web invalide", "invalid web address"},
                    {"donnez une adresse complète en http:// ou https://",
                     "give a complete address, http:// or https://"});
    const Text why = curl_words(code);
    return fail(Code::Unavailable,
                {fmt::format("{} ne répond pas : {}", host, why.fr),
                 fmt::format("{} does not answer: {}", host, why.en)},
                {fmt::format("vérifiez que {} est en marche et joignable d'ici", host),
                 fmt::format("check that {} is up and can be reached from here", host)});
}

/// libcurl asks about once a second, whatever else it waits for; anything but 0 ends the exchange.
int is_given_up(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<const std::stop_token*>(user)->stop_requested() ? 1 : 0;
}

/// What holds for every request of a handle.
void set_rules(CURL* curl) {
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    // A name server that hangs must not hold us past the timeout.
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
    // Only the configuration says where bytes go, not a proxy named in the environment.
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "hygie/" HYGIE_VERSION);
    // Some logs are stored compressed. libcurl hands over what it decoded, piece by piece, so that
    // the limit holds for the decoded bytes.
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
}

Headers headers_of(const FetchRequest& request, std::span<const std::string> further) {
    curl_slist* list =
        curl_slist_append(nullptr, "Expect:");  // else a large POST waits for "100 Continue"
    const std::string type =
        "Content-Type:" + (request.content_type.empty() ? "" : " " + request.content_type);
    list = curl_slist_append(list, type.c_str());
    for (const std::string& header : further) list = curl_slist_append(list, header.c_str());
    return {list, curl_slist_free_all};
}

/// One exchange; `further` are headers of the caller's, `stop` ends it early.
Result<FetchResponse> transfer(const FetchRequest& request, std::span<const std::string> further,
                               std::stop_token stop) {
    // One handle per thread: libcurl keeps its connections between requests; reset() keeps them
    // too.
    thread_local const Handle handle(curl_easy_init(), curl_easy_cleanup);
    CURL* curl = handle.get();
    HYGIE_CHECK(curl != nullptr, "libcurl cannot work");
    curl_easy_reset(curl);
    set_rules(curl);

    Sink sink{.body = {}, .bytes_max = request.response_bytes_max};
    const Headers headers = headers_of(request, further);
    const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(request.timeout).count();
    curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout));
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, stop.stop_possible() ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, is_given_up);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &stop);
    if (!request.body.empty() || request.method == "POST") {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(request.body.size()));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                         reinterpret_cast<const char*>(request.body.data()));
    }
    if (request.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());

    const CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK) return failure(code, request, sink);
    long status = 0;
    const char* type = nullptr;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    return FetchResponse{static_cast<int>(status), type == nullptr ? "" : type,
                         std::move(sink.body)};
}

void start_libcurl() {
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    HYGIE_CHECK(started == CURLE_OK, "libcurl cannot work");
}

class RealFetch final : public Fetch {
  public:
    RealFetch() { start_libcurl(); }
    Result<FetchResponse> fetch(const FetchRequest& request) override {
        return transfer(request, {}, {});
    }
};

class RealPost final : public Post {
  public:
    static constexpr std::size_t kAnswerBytesMax = 64 << 10;

    RealPost() { start_libcurl(); }
    Result<int> post(const PostRequest& request) override {
        return TRY(transfer({.method = "POST",
                             .url = request.url,
                             .content_type = request.content_type,
                             .body = request.body,
                             .timeout = request.timeout,
                             .response_bytes_max = kAnswerBytesMax},
                            request.headers, request.stop))
            .status;
    }
};

}  // namespace

Post& real_post() {
    static RealPost post;
    return post;
}

Fetch& real_fetch() {
    static RealFetch fetch;
    return fetch;
}

}  // namespace hygie
