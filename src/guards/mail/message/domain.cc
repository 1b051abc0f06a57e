#include "guards/mail/message/domain.h"

#include <arpa/inet.h>
#include <libpsl.h>
#include <unicode/uidna.h>
#include <unicode/uspoof.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kHostBytesMax = 253;
/// A shorter label is inside too many honest words to be looked for there.
constexpr std::size_t kEmbeddedLabelMin = 5;

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string decode_idna(std::string_view host) {
    UErrorCode error = U_ZERO_ERROR;
    static const std::unique_ptr<UIDNA, void (*)(UIDNA*)> idna(
        uidna_openUTS46(UIDNA_NONTRANSITIONAL_TO_UNICODE, &error), uidna_close);
    std::array<char, 4 * kHostBytesMax> out{};
    UIDNAInfo info = UIDNA_INFO_INITIALIZER;
    error = U_ZERO_ERROR;
    const std::int32_t size =
        uidna_nameToUnicodeUTF8(idna.get(), host.data(), static_cast<std::int32_t>(host.size()),
                                out.data(), static_cast<std::int32_t>(out.size()), &info, &error);
    if (U_FAILURE(error) || size <= 0 || static_cast<std::size_t>(size) > out.size())
        return std::string(host);
    return {out.data(), static_cast<std::size_t>(size)};
}

std::string unicode_skeleton(std::string_view text) {
    UErrorCode error = U_ZERO_ERROR;
    static const std::unique_ptr<USpoofChecker, void (*)(USpoofChecker*)> checker(
        uspoof_open(&error), uspoof_close);
    std::array<char, 8 * kHostBytesMax> out{};
    error = U_ZERO_ERROR;
    const std::int32_t size = uspoof_getSkeletonUTF8(
        checker.get(), 0, text.data(), static_cast<std::int32_t>(text.size()), out.data(),
        static_cast<std::int32_t>(out.size()), &error);
    if (U_FAILURE(error) || size <= 0 || static_cast<std::size_t>(size) > out.size())
        return std::string(text);
    return {out.data(), static_cast<std::size_t>(size)};
}

/// One spelling for the letters that type faces make alike.
std::string merge_twins(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::string_view two = text.substr(i, 2);
        if (two == "rn") {
            out.push_back('m');
            ++i;
        } else if (two == "vv") {
            out.push_back('w');
            ++i;
        } else if (two == "cl") {
            out.push_back('d');
            ++i;
        } else {
            const char c = text[i];
            out.push_back(c == '0'                           ? 'o'
                          : c == '1' || c == 'i' || c == '|' ? 'l'
                          : c == '5'                         ? 's'
                          : c == '3'                         ? 'e'
                                                             : c);
        }
    }
    return out;
}

/// The label stands in the name between its ends or hyphens, or is long enough to be no accident.
bool embeds(std::string_view label, std::string_view honest) {
    for (std::size_t at = label.find(honest); at != std::string_view::npos;
         at = label.find(honest, at + 1)) {
        const bool left = at == 0 || label[at - 1] == '-';
        const std::size_t end = at + honest.size();
        const bool right = end == label.size() || label[end] == '-';
        if (left && right && label.size() > honest.size()) return true;
        if ((left || right) && honest.size() > kEmbeddedLabelMin) return true;
    }
    return false;
}

/// One or two letters changed, added, dropped or swapped, but not the first, by which a name is
/// known. Of a short name by its own letters: many words are one letter from one of five, and more
/// once letters that look alike count as the same.
bool is_edit_of(std::string_view label, std::string_view good, std::string_view seen,
                std::string_view meant) {
    constexpr std::size_t kLongLabel = 9;
    constexpr std::size_t kShortestLabel = 5;
    if (good.size() < kShortestLabel || seen.empty() || seen.front() != meant.front()) return false;
    const int limit = good.size() >= kLongLabel ? 2 : 1;
    return edit_distance(seen, meant, limit) <= limit &&
           (limit > 1 || edit_distance(label, good, limit) <= limit);
}

}  // namespace

bool is_ip_address(std::string_view host) {
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const std::string text(host);
    std::array<unsigned char, 16> bytes{};
    return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
           inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

std::string registrable_domain(std::string_view host) {
    std::string name = lower(host);
    while (name.ends_with('.')) name.pop_back();
    if (name.empty() || name.size() > kHostBytesMax || is_ip_address(name)) return name;
    const char* found = psl_registrable_domain(psl_builtin(), name.c_str());
    return found ? found : name;
}

std::string display_host(std::string_view host) {
    std::string name = lower(host);
    while (name.ends_with('.')) name.pop_back();
    if (name.size() > kHostBytesMax) name.resize(kHostBytesMax);
    return contains(name, "xn--") ? decode_idna(name) : name;
}

std::string skeleton(std::string_view host) {
    const std::string name = display_host(host);
    return merge_twins(is_ascii(name) ? name : lower(unicode_skeleton(name)));
}

int edit_distance(std::string_view left, std::string_view right, int limit) {
    const auto n = static_cast<int>(left.size());
    const auto m = static_cast<int>(right.size());
    if (std::abs(n - m) > limit) return limit + 1;
    const auto width = static_cast<std::size_t>(m) + 1;
    std::vector<int> before(width);
    std::vector<int> last(width);
    std::vector<int> now(width);
    for (int j = 0; j <= m; ++j) last[static_cast<std::size_t>(j)] = j;
    for (int i = 1; i <= n; ++i) {
        now[0] = i;
        int best = i;
        for (int j = 1; j <= m; ++j) {
            const auto x = static_cast<std::size_t>(i - 1);
            const auto y = static_cast<std::size_t>(j - 1);
            const int replace = last[y] + (left[x] != right[y]);
            int cost = std::min({last[y + 1] + 1, now[y] + 1, replace});
            if (i > 1 && j > 1 && left[x] == right[y - 1] && left[x - 1] == right[y])
                cost = std::min(cost, before[y - 1] + 1);
            now[y + 1] = cost;
            best = std::min(best, cost);
        }
        if (best > limit) return limit + 1;
        std::swap(before, last);
        std::swap(last, now);
    }
    return std::min(last[static_cast<std::size_t>(m)], limit + 1);
}

std::string_view main_label(std::string_view registrable) {
    return registrable.substr(0, registrable.find('.'));
}

LookAlike::How resemblance(std::string_view domain, std::string_view honest) {
    if (domain.empty() || honest.empty() || domain == honest || is_ip_address(domain))
        return LookAlike::How::None;
    const std::string_view label = main_label(domain);
    const std::string_view good = main_label(honest);
    // "who-int.example", "amelifr.example": the whole honest name, its dot undone.
    std::string dashed(honest);
    std::ranges::replace(dashed, '.', '-');
    std::string joined(honest);
    std::erase(joined, '.');
    if (label == dashed || label == joined) return LookAlike::How::Confusable;
    if (dashed.size() > kEmbeddedLabelMin && embeds(label, dashed)) return LookAlike::How::Embeds;
    if (good.size() < 4) {
        // Short names are in everything: only the same letters count.
        return label != good && good.size() == 3 && skeleton(label) == skeleton(good)
                   ? LookAlike::How::Confusable
                   : LookAlike::How::None;
    }
    if (label == good) return LookAlike::How::OtherTld;
    const std::string seen = skeleton(label);
    const std::string meant = skeleton(good);
    if (seen == meant) return LookAlike::How::Confusable;
    if (is_edit_of(label, good, seen, meant)) return LookAlike::How::Edit;
    if (good.size() >= kEmbeddedLabelMin && embeds(label, good)) return LookAlike::How::Embeds;
    return LookAlike::How::None;
}

}  // namespace hygie::mail
