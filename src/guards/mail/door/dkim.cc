#include "guards/mail/door/dkim.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "crypto/sha256.h"
#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kTagsMax = 50;
constexpr std::size_t kSignedHeadersMax = 200;
constexpr int kRsaBitsMin = 1024;
/// Clocks differ by so much at most.
constexpr std::int64_t kClockSkewSeconds = 300;

using Tags = std::map<std::string, std::string, std::less<>>;

struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// "a=b; c=d" (§3.2); nothing when malformed or a tag comes twice.
std::optional<Tags> tags_of(std::string_view text) {
    Tags tags;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(';'), text.size());
        const std::string_view one = trim(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (one.empty()) continue;
        const std::size_t equals = one.find('=');
        if (equals == std::string_view::npos || tags.size() >= kTagsMax) return {};
        const auto [at, is_new] =
            tags.emplace(trim(one.substr(0, equals)), trim(one.substr(equals + 1)));
        if (!is_new) return {};
    }
    return tags;
}

std::string_view tag(const Tags& tags, std::string_view name, std::string_view otherwise = {}) {
    const auto it = tags.find(name);
    return it == tags.end() ? otherwise : std::string_view(it->second);
}

/// Base64 with blanks anywhere; nothing for other bytes.
std::optional<Bytes> unbase64(std::string_view text) {
    std::string tight;
    for (const char c : text)
        if (!is_blank(c)) tight += c;
    if (tight.empty() || tight.size() % 4 != 0) return {};
    Bytes out(tight.size() / 4 * 3);
    const int size =
        EVP_DecodeBlock(out.data(), reinterpret_cast<const unsigned char*>(tight.data()),
                        static_cast<int>(tight.size()));
    if (size < 0) return {};
    const std::size_t padding = tight.ends_with("==") ? 2 : tight.ends_with('=') ? 1 : 0;
    out.resize(static_cast<std::size_t>(size) - padding);
    return out;
}

/// Runs of blanks as one, none at the end (§3.4.2, §3.4.4).
std::string relaxed_line(std::string_view line) {
    std::string out;
    bool pending = false;
    for (const char c : line) {
        if (is_blank(c)) {
            pending = true;
            continue;
        }
        if (std::exchange(pending, false)) out += ' ';
        out += c;
    }
    return out;
}

std::string canonical_body(std::string_view body, bool relaxed) {
    std::string out;
    out.reserve(body.size() + 2);
    std::size_t kept = 0;  // up to the last line that is not empty
    while (!body.empty()) {
        const std::size_t end = std::min(body.find('\n'), body.size());
        std::string_view line = body.substr(0, end);
        body.remove_prefix(std::min(end + 1, body.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (relaxed)
            out += relaxed_line(line);
        else
            out += line;
        const bool is_empty = out.size() == 0 || out.ends_with("\r\n");
        out += "\r\n";
        if (!is_empty) kept = out.size();
    }
    out.resize(kept);
    // An empty body is one empty line for "simple" (§3.4.3), nothing for "relaxed".
    if (out.empty() && !relaxed) out = "\r\n";
    return out;
}

std::string crlf_folds(std::string_view value) {
    std::string out;
    char before = '\0';
    for (const char c : value) {
        if (c == '\n' && before != '\r') out += '\r';
        out += c;
        before = c;
    }
    return out;
}

std::string canonical_header(std::string_view name, std::string_view value, bool relaxed) {
    if (!relaxed) return std::string(name) + ":" + crlf_folds(value);
    const std::string line = relaxed_line(value);
    return lower(name) + ":" + std::string(trim(line));
}

/// The value of DKIM-Signature with the signature itself left out (§3.7).
std::string without_signature(std::string_view value) {
    std::string out;
    while (!value.empty()) {
        const std::size_t end = std::min(value.find(';'), value.size());
        const std::string_view one = value.substr(0, end);
        const std::size_t equals = one.find('=');
        if (equals != std::string_view::npos && trim(one.substr(0, equals)) == "b")
            out += one.substr(0, equals + 1);
        else
            out += one;
        if (end < value.size()) out += ';';
        value.remove_prefix(std::min(end + 1, value.size()));
    }
    return out;
}

std::optional<std::int64_t> seconds_of(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    return value;
}

Key key_of(const Tags& record, bool ed25519) {
    const auto bytes = unbase64(tag(record, "p"));
    if (!bytes) return nullptr;
    if (ed25519)
        return bytes->size() == 32 ? Key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                                                     bytes->data(), bytes->size()))
                                   : nullptr;
    const unsigned char* at = bytes->data();
    Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(bytes->size())));
    if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA ||
        EVP_PKEY_get_bits(key.get()) < kRsaBitsMin)
        return nullptr;
    return key;
}

bool verifies(EVP_PKEY* key, bool ed25519, std::string_view signed_bytes, ByteView signature) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    // Ed25519 signs the digest (RFC 8463 §3).
    const auto digest = crypto::sha256(as_bytes(signed_bytes));
    const ByteView what = ed25519 ? ByteView(digest) : as_bytes(signed_bytes);
    return EVP_DigestVerifyInit(context.get(), nullptr, ed25519 ? nullptr : EVP_sha256(), nullptr,
                                key) == 1 &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(), what.data(),
                            what.size()) == 1;
}

/// One signature on its way to a verdict.
class Check {
  public:
    Check(const Incoming& message, const RawHeader& header, Resolver& resolver, WallTime now,
          SteadyTime until)
        : message_(message), header_(header), resolver_(resolver), now_(now), until_(until) {}

    DkimResult run() {
        const auto tags = tags_of(header_.value);
        if (!tags) return {.domain = {}, .result = AuthResult::Error};
        DkimResult out{.domain = lower(tag(*tags, "d"))};
        out.result = verdict(*tags, out.domain);
        return out;
    }

  private:
    AuthResult verdict(const Tags& tags, const std::string& domain) {
        const std::string algorithm = lower(tag(tags, "a"));
        const bool ed25519 = algorithm == "ed25519-sha256";
        if (tag(tags, "v") != "1" || domain.empty() || tag(tags, "s").empty() ||
            (!ed25519 && algorithm != "rsa-sha256") || !signs_from(tags))
            return AuthResult::Error;
        if (tags.contains("l")) return AuthResult::Neutral;
        if (is_expired(tags)) return AuthResult::Fail;
        const auto signature = unbase64(tag(tags, "b"));
        const auto body_hash = unbase64(tag(tags, "bh"));
        if (!signature || !body_hash) return AuthResult::Error;
        const std::string ways = lower(tag(tags, "c", "simple/simple"));
        const std::size_t slash = std::min(ways.find('/'), ways.size());
        const bool relaxed_head = ways.substr(0, slash) == "relaxed";
        const bool relaxed_body = ways.ends_with("/relaxed");
        const auto digest = crypto::sha256(as_bytes(canonical_body(message_.body, relaxed_body)));
        if (!std::ranges::equal(*body_hash, digest)) return AuthResult::Fail;
        return against_key(tags, domain, ed25519, signed_bytes(tags, relaxed_head), *signature);
    }

    static bool signs_from(const Tags& tags) {
        const std::string names = ":" + lower(tag(tags, "h")) + ":";
        std::string tight;
        for (const char c : names)
            if (!is_blank(c)) tight += c;
        return contains(tight, ":from:");
    }

    bool is_expired(const Tags& tags) const {
        const auto until = seconds_of(tag(tags, "x"));
        const auto seconds =
            std::chrono::duration_cast<std::chrono::seconds>(now_.time_since_epoch()).count();
        return until && *until + kClockSkewSeconds < seconds;
    }

    /// The signed fields, each name from the last field upwards (§5.4.2), then the signature's own.
    std::string signed_bytes(const Tags& tags, bool relaxed) const {
        std::map<std::string, std::vector<const RawHeader*>> by_name;
        for (const RawHeader& header : message_.headers)
            by_name[lower(header.name)].push_back(&header);
        std::string out;
        std::string_view names = tag(tags, "h");
        for (std::size_t i = 0; i < kSignedHeadersMax && !names.empty(); ++i) {
            const std::size_t end = std::min(names.find(':'), names.size());
            auto& left = by_name[lower(trim(names.substr(0, end)))];
            names.remove_prefix(std::min(end + 1, names.size()));
            if (left.empty()) continue;
            out += canonical_header(left.back()->name, left.back()->value, relaxed) + "\r\n";
            left.pop_back();
        }
        return out + canonical_header(header_.name, without_signature(header_.value), relaxed);
    }

    AuthResult against_key(const Tags& tags, const std::string& domain, bool ed25519,
                           const std::string& bytes, const Bytes& signature) {
        const std::string name = std::string(tag(tags, "s")) + "._domainkey." + domain;
        const DnsAnswer answer = resolver_.ask(name, DnsType::Txt, until_);
        if (answer.kind != DnsAnswer::Kind::Found)
            return answer.kind == DnsAnswer::Kind::Failed ? AuthResult::Error : AuthResult::Fail;
        for (const std::string& text : answer.values) {
            const auto record = tags_of(text);
            if (!record || tag(*record, "v", "DKIM1") != "DKIM1" ||
                lower(tag(*record, "k", "rsa")) != (ed25519 ? "ed25519" : "rsa"))
                continue;
            const Key key = key_of(*record, ed25519);
            if (key && verifies(key.get(), ed25519, bytes, signature)) return AuthResult::Pass;
        }
        return AuthResult::Fail;
    }

    const Incoming& message_;
    const RawHeader& header_;
    Resolver& resolver_;
    WallTime now_;
    SteadyTime until_;
};

}  // namespace

std::vector<DkimResult> check_dkim(const Incoming& message, Resolver& resolver, WallTime now,
                                   SteadyTime until) {
    std::vector<DkimResult> out;
    for (const RawHeader& header : message.headers)
        if (equal_any_case(header.name, "dkim-signature") && out.size() < kDkimSignaturesMax)
            out.push_back(Check(message, header, resolver, now, until).run());
    return out;
}

}  // namespace hygie::mail
