#include "guards/records/notices/notice_sockets.h"

#include <array>

#include "base/bytes.h"
#include "crypto/sha256.h"

namespace hygie::records {

namespace {

std::string digest_of(std::string_view token) {
    return to_hex(crypto::sha256(as_bytes(token)));
}

}  // namespace

std::optional<NoticeSockets::Token> NoticeSockets::give(std::vector<std::string> subscriptions,
                                                        WallTime now) {
    Token token{.text = to_hex(random_.bytes<32>()), .end = now + kTokenLasts};
    const std::lock_guard lock(mutex_);
    std::erase_if(tokens_, [&](const auto& entry) { return entry.second.end <= now; });
    if (tokens_.size() >= kTokensMax) return std::nullopt;
    tokens_.emplace(digest_of(token.text), Given{std::move(subscriptions), token.end});
    return token;
}

std::optional<std::vector<std::string>> NoticeSockets::redeem(std::string_view token,
                                                              WallTime now) {
    const std::lock_guard lock(mutex_);
    const auto found = tokens_.find(digest_of(token));
    if (found == tokens_.end()) return std::nullopt;
    Given given = std::move(found->second);
    tokens_.erase(found);
    if (given.end <= now) return std::nullopt;
    return std::move(given.subscriptions);
}

bool NoticeSockets::bind(const std::string& subscription, NoticeSocket socket) {
    const std::lock_guard lock(mutex_);
    if (sockets_.size() >= kSocketsMax) return false;
    sockets_.emplace(subscription, std::move(socket));
    return true;
}

bool NoticeSockets::is_bound(std::string_view subscription) {
    const std::lock_guard lock(mutex_);
    return sockets_.contains(subscription);
}

bool NoticeSockets::send(std::string_view subscription, const std::string& text) {
    const std::lock_guard lock(mutex_);
    bool taken = false;
    auto [at, end] = sockets_.equal_range(subscription);
    while (at != end) {
        if (at->second.send(text)) {
            taken = true;
            ++at;
        } else {
            at = sockets_.erase(at);
        }
    }
    return taken;
}

void NoticeSockets::release(std::string_view subscription) {
    const std::lock_guard lock(mutex_);
    const auto [first, last] = sockets_.equal_range(subscription);
    sockets_.erase(first, last);
}

}  // namespace hygie::records
