#include "guards/mail/door/reinject.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "host/words.h"

namespace hygie::mail {
namespace {

constexpr long kTimeoutSeconds = 60;

struct Source {
    const std::string& bytes;
    std::size_t at = 0;
};

std::size_t give_bytes(char* out, std::size_t, std::size_t size, void* user) {
    auto& source = *static_cast<Source*>(user);
    const std::size_t count = std::min(size, source.bytes.size() - source.at);
    std::memcpy(out, source.bytes.data() + source.at, count);
    source.at += count;
    return count;
}

}  // namespace

Status reinject(const std::string& server, const Envelope& envelope, const std::string& message) {
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                   curl_easy_cleanup);
    curl_slist* list = nullptr;
    for (const std::string& address : envelope.rcpt_to)
        list = curl_slist_append(list, ("<" + address + ">").c_str());
    const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> recipients(
        list, curl_slist_free_all);
    Source source{message};
    const std::string url = "smtp://" + server;
    const std::string sender = "<" + envelope.mail_from + ">";
    curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "smtp");
    curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
    curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kTimeoutSeconds);
    curl_easy_setopt(curl.get(), CURLOPT_MAIL_FROM, sender.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_MAIL_RCPT, recipients.get());
    curl_easy_setopt(curl.get(), CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_READFUNCTION, give_bytes);
    curl_easy_setopt(curl.get(), CURLOPT_READDATA, &source);
    const CURLcode code = curl_easy_perform(curl.get());
    if (code == CURLE_OK) return {};
    const Text why = curl_words(code);
    return fail(Code::Unavailable,
                {"le serveur de courrier n'a pas pris le message : " + why.fr,
                 "the mail server did not take the message: " + why.en},
                {"le message reste en quarantaine ; recommencez, ou écrivez-le avec -o",
                 "the message stays in quarantine; try again, or write it with -o"});
}

}  // namespace hygie::mail
