#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Domain names as their owners and their readers see them. Top-level domains carry no meaning
/// here.
namespace hygie::mail {

/// A look-alike: which honest domain a domain resembles, and how.
struct LookAlike {
    enum class How : std::uint8_t {
        None,
        Confusable,  ///< same skeleton (UTS #39): paypaI, раypal
        Edit,        ///< one or two letters changed, added, dropped or swapped
        OtherTld,    ///< same label under another suffix: doctolib.co
        Within,      ///< the whole honest domain in front of another: doctolib.fr.rdv.example
        Embeds,      ///< the honest name inside a longer one: ameli-remboursement
    };
    How how = How::None;
    std::string honest;  ///< the domain it resembles
    std::string owner;   ///< whose: a brand id, a supplier's name, or "own"
};

/// The part of a host name that somebody registered, by the public suffix list: "a.b.gouv.fr" →
/// "b.gouv.fr". The host itself when it is an IP address or has no dot; empty for empty.
std::string registrable_domain(std::string_view host);
bool is_ip_address(std::string_view host);
/// Lower case, without a final dot, "xn--" labels decoded to UTF-8.
std::string display_host(std::string_view host);
/// What a hurried reader sees: the UTS #39 skeleton of each label, and 0/o, 1/l, rn/m as one.
std::string skeleton(std::string_view host);
/// Edits between two names (insert, delete, replace, swap neighbours), at most `limit` + 1.
int edit_distance(std::string_view left, std::string_view right, int limit);
/// The label before the public suffix: "ameli" of "assure.ameli.fr".
std::string_view main_label(std::string_view registrable);
/// How `domain` (registrable) resembles `honest` (registrable) without being it.
LookAlike::How resemblance(std::string_view domain, std::string_view honest);

}  // namespace hygie::mail
