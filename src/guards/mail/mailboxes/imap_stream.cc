#include <curl/curl.h>

#include <algorithm>
#include <array>

#include "guards/mail/mailboxes/imap.h"
#include "host/words.h"

namespace hygie::mail {
namespace {

constexpr long kConnectSeconds = 30;
constexpr int kTurnsMax = 16;

std::unexpected<Error> not_reached(CURLcode code) {
    const Text why = curl_words(code);
    if (code == CURLE_LOGIN_DENIED)
        return fail(Code::Denied,
                    {"le serveur IMAP refuse ce compte", "the IMAP server refuses this account"},
                    {"vérifiez l'utilisateur et le fichier de son mot de passe ; un hébergeur peut "
                     "demander un mot de passe d'application ou OAuth 2",
                     "check the user and the file of the password; a provider may want an "
                     "application password or OAuth 2"});
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
        code == CURLE_USE_SSL_FAILED)
        return fail(Code::Forged,
                    {"le serveur IMAP ne prouve pas qui il est : " + why.fr,
                     "the IMAP server does not prove who it is: " + why.en},
                    {"rien ne lui a été dit ; vérifiez l'adresse et ca_file",
                     "nothing was told to it; check the address and ca_file"});
    return fail(Code::Unavailable,
                {"le serveur IMAP n'est pas joint : " + why.fr,
                 "the IMAP server is not reached: " + why.en},
                {"la garde y revient d'elle-même ; voyez l'adresse et le réseau si cela dure",
                 "the guard comes back to it by itself; see the address and the network if this "
                 "lasts"});
}

/// libcurl connects, checks the certificate and signs in; after that its connection is ours.
class CurlStream final : public ImapStream {
  public:
    CurlStream()
        : curl_(curl_easy_init(), curl_easy_cleanup),
          multi_(curl_multi_init(), curl_multi_cleanup) {}

    Status connect(const ImapServer& server) {
        CURL* curl = curl_.get();
        curl_easy_setopt(curl, CURLOPT_URL, server.url.c_str());
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "imap,imaps");
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
        curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, kConnectSeconds);
        curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
        if (!server.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, server.ca_file.c_str());
        curl_easy_setopt(curl, CURLOPT_USERNAME, server.user.c_str());
        curl_easy_setopt(curl, server.is_token ? CURLOPT_XOAUTH2_BEARER : CURLOPT_PASSWORD,
                         server.secret.reveal().c_str());
        const CURLcode code = curl_easy_perform(curl);
        if (code != CURLE_OK) return not_reached(code);
        if (curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &socket_) != CURLE_OK ||
            socket_ == CURL_SOCKET_BAD)
            return not_reached(CURLE_COULDNT_CONNECT);
        return {};
    }

    Status send(std::string_view bytes) override {
        while (!bytes.empty()) {
            std::size_t sent = 0;
            const CURLcode code = curl_easy_send(curl_.get(), bytes.data(), bytes.size(), &sent);
            if (code == CURLE_AGAIN) {
                if (!wait(CURL_WAIT_POLLOUT, kImapPatience))
                    return not_reached(CURLE_OPERATION_TIMEDOUT);
                continue;
            }
            if (code != CURLE_OK) return not_reached(code);
            bytes.remove_prefix(sent);
        }
        return {};
    }

    Result<bool> receive(std::string& out, Micros patience) override {
        std::array<char, 64U << 10> room{};
        // TLS may hold bytes that the socket does not show: ask first, then wait. What wakes us may
        // be TLS's own; the server is asked a few times.
        for (int turn = 0; turn < kTurnsMax; ++turn) {
            std::size_t count = 0;
            const CURLcode code = curl_easy_recv(curl_.get(), room.data(), room.size(), &count);
            if (code == CURLE_OK && count > 0) {
                out.append(room.data(), count);
                return true;
            }
            if (code != CURLE_AGAIN)
                return not_reached(code == CURLE_OK ? CURLE_GOT_NOTHING : code);
            if (!wait(CURL_WAIT_POLLIN, patience)) return false;
        }
        return false;
    }

  private:
    bool wait(short what, Micros patience) {
        curl_waitfd one{.fd = socket_, .events = what, .revents = 0};
        int ready = 0;
        const auto ms = std::chrono::ceil<std::chrono::milliseconds>(patience).count();
        curl_multi_poll(multi_.get(), &one, 1, static_cast<int>(ms), &ready);
        return one.revents != 0;
    }

    std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl_;
    std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi_;
    curl_socket_t socket_ = CURL_SOCKET_BAD;
};

}  // namespace

Result<std::unique_ptr<ImapStream>> connect_imap(const ImapServer& server) {
    auto stream = std::make_unique<CurlStream>();
    TRY_STATUS(stream->connect(server));
    return stream;
}

}  // namespace hygie::mail
