#include "base/bytes.h"
#include "base/check.h"
#include "guards/mail/door/incoming.h"
#include "guards/mail/door/neutral.h"
#include "guards/mail/mailboxes/imap_reply.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/html.h"

using namespace hygie;

/// What strangers send to the doors of the mail guard: an IMAP server's words, a letter's fields, a
/// page to be made harmless.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view all = as_text({data + 1, size - 1});

    // Replies do not depend on how the network cut them.
    const std::size_t cut = all.empty() ? 0 : data[0] % all.size();
    mail::ImapReader whole;
    mail::ImapReader parts;
    const bool fits = whole.feed(all).has_value();
    const bool parts_fit = parts.feed(all.substr(0, cut)) && parts.feed(all.substr(cut));
    HYGIE_CHECK(fits == parts_fit, "a limit that depends on the network");
    while (fits) {
        const auto left = whole.next();
        const auto right = parts.next();
        HYGIE_CHECK(left.has_value() == right.has_value(), "a reply that depends on the network");
        if (!left) break;
        HYGIE_CHECK(left->line == right->line && left->literals == right->literals,
                    "another reply");
        if (const auto message = mail::fetched(*left))
            HYGIE_CHECK(message->uid > 0, "a message without a number");
        (void)mail::search_hits(*left);
        (void)mail::coded_number(*left, "UIDVALIDITY");
        (void)mail::exists_count(*left);
        (void)mail::listed_folder(*left);
    }

    // A letter taken apart is whole again, and stays so.
    const std::string once = mail::incoming_of(all).bytes();
    HYGIE_CHECK(mail::incoming_of(once).bytes() == once, "a letter that changes by being read");

    // Nothing in a harmless page can be followed.
    const mail::HtmlView view = mail::view_html(mail::neutral_html(all));
    for (const mail::RawLink& link : view.links)
        HYGIE_CHECK(link.kind == mail::LinkKind::Text && !mail::contains(link.target, "http"),
                    "a page that still has a hand");
    HYGIE_CHECK(view.forms.empty() && view.scripts.empty() && !view.has_script && !view.has_frame,
                "a page that still acts");
    return 0;
}
