#include "guards/mail/attachments/clamd.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/bytes.h"
#include "guards/mail/message/fold.h"
#include "host/log.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kChunkBytes = 256U << 10;
constexpr std::size_t kAnswerBytesMax = 4U << 10;

std::unexpected<Error> silent() {
    return fail(Code::Unavailable, {"clamd ne répond pas", "clamd does not answer"},
                {"le message est jugé sans lui ; voyez son service et --clamd",
                 "the message is judged without it; see its service and --clamd"});
}

/// A stream to clamd's socket until a moment; libcurl carries it.
class Talk {
  public:
    explicit Talk(Micros budget)
        : curl_(curl_easy_init(), curl_easy_cleanup),
          multi_(curl_multi_init(), curl_multi_cleanup),
          until_(std::chrono::steady_clock::now() + budget) {}

    bool connect(const std::string& socket) {
        curl_easy_setopt(curl_.get(), CURLOPT_URL, "http://clamd.local");
        curl_easy_setopt(curl_.get(), CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
        curl_easy_setopt(curl_.get(), CURLOPT_CONNECT_ONLY, 1L);
        curl_easy_setopt(curl_.get(), CURLOPT_PROXY, "");
        curl_easy_setopt(curl_.get(), CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl_.get(), CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(left_ms()));
        return curl_easy_perform(curl_.get()) == CURLE_OK &&
               curl_easy_getinfo(curl_.get(), CURLINFO_ACTIVESOCKET, &socket_) == CURLE_OK;
    }
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            std::size_t sent = 0;
            const CURLcode code = curl_easy_send(curl_.get(), bytes.data(), bytes.size(), &sent);
            if (code == CURLE_AGAIN) {
                if (!wait(CURL_WAIT_POLLOUT)) return false;
                continue;
            }
            if (code != CURLE_OK) return false;
            bytes.remove_prefix(sent);
        }
        return true;
    }
    /// Up to a zero byte.
    std::optional<std::string> receive() {
        std::string out;
        while (out.size() < kAnswerBytesMax) {
            std::array<char, 1024> room{};
            std::size_t count = 0;
            const CURLcode code = curl_easy_recv(curl_.get(), room.data(), room.size(), &count);
            if (code == CURLE_AGAIN) {
                if (!wait(CURL_WAIT_POLLIN)) return {};
                continue;
            }
            if (code != CURLE_OK || count == 0) return {};
            out.append(room.data(), count);
            if (const std::size_t end = out.find('\0'); end != std::string::npos)
                return out.substr(0, end);
        }
        return {};
    }

  private:
    int left_ms() const {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(until_ - std::chrono::steady_clock::now());
        return static_cast<int>(std::max<std::int64_t>(left.count(), 1));
    }
    bool wait(short what) {
        if (std::chrono::steady_clock::now() >= until_) return false;
        curl_waitfd one{.fd = socket_, .events = what, .revents = 0};
        int ready = 0;
        curl_multi_poll(multi_.get(), &one, 1, left_ms(), &ready);
        return one.revents != 0;
    }

    std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl_;
    std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi_;
    std::chrono::steady_clock::time_point until_;
    curl_socket_t socket_ = CURL_SOCKET_BAD;
};

}  // namespace

Result<std::optional<std::string>> ask_clamd(const std::string& socket, std::string_view message,
                                             Micros budget) {
    Talk talk(budget);
    bool is_sent = talk.connect(socket) && talk.send(std::string_view("zINSTREAM\0", 10));
    while (is_sent && !message.empty()) {
        const std::string_view chunk = message.substr(0, kChunkBytes);
        std::array<std::uint8_t, 4> size{};
        store_be(size.data(), static_cast<std::uint32_t>(chunk.size()));
        is_sent = talk.send(as_text(size)) && talk.send(chunk);
        message.remove_prefix(chunk.size());
    }
    // An answer may come before the end, when the message is larger than clamd takes.
    if (!is_sent || !talk.send(std::string_view("\0\0\0\0", 4))) return silent();
    const auto answer = talk.receive();
    if (!answer) return silent();
    constexpr std::string_view kStart = "stream: ";
    constexpr std::string_view kFound = " FOUND";
    std::string_view words = *answer;
    if (words.starts_with(kStart)) words.remove_prefix(kStart.size());
    if (words == "OK") return std::optional<std::string>();
    if (!words.ends_with(kFound)) return silent();
    words.remove_suffix(kFound.size());
    return std::optional(clean_utf8(words));
}

std::optional<std::string> Clamd::look(std::string_view message, Clock& clock) {
    const auto now = [&] {
        return std::chrono::duration_cast<Micros>(clock.steady().time_since_epoch()).count();
    };
    if (socket_.empty() || now() < rests_until_us_) return {};
    auto found = ask_clamd(socket_, message);
    if (found) return std::move(*found);
    log::warning("mail.scanner-silent", found.error());
    rests_until_us_ = now() + kClamdRest.count();
    return {};
}

}  // namespace hygie::mail
