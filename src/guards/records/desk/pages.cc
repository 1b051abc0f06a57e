#include "guards/records/desk/pages.h"

#include <algorithm>

#include "base/cbor.h"
#include "crypto/aead.h"

namespace hygie::records {

namespace {

constexpr std::uint64_t kPageFields = 4;

/// base64url without padding (RFC 4648 §5): one spelling per value.
std::string to_base64url(ByteView bytes) {
    std::string text = to_base64(bytes);
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    text.erase(std::min(text.find('='), text.size()));
    return text;
}

Result<Bytes> from_base64url(std::string_view token) {
    std::string text(token);
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    text.append((4 - text.size() % 4) % 4, '=');
    return from_base64(text);
}

std::unexpected<Error> no_page() {
    return fail(Code::NotFound, {"cette page n'existe pas", "there is no such page"},
                {"recommencez la recherche", "search again"});
}

Result<PageOf> read_page(ByteView plaintext) {
    cbor::Reader reader(plaintext);
    if (TRY(reader.array()) != kPageFields) return no_page();
    PageOf page;
    page.path = TRY(reader.text());
    page.query = TRY(reader.text());
    page.cursor.offset = TRY(reader.number());
    page.cursor.last = TRY(reader.text());
    return page;
}

}  // namespace

std::string seal_page(const crypto::Secret32& key, Random& random, const ActorId& actor,
                      const PageOf& page) {
    Bytes plaintext;
    cbor::Writer writer(plaintext);
    writer.array(kPageFields);
    writer.text(page.path);
    writer.text(page.query);
    writer.number(page.cursor.offset);
    writer.text(page.cursor.last);
    return to_base64url(crypto::box(key, as_bytes(actor.str()), plaintext, random));
}

Result<PageOf> open_page(const crypto::Secret32& key, const ActorId& actor,
                         std::string_view token) {
    const auto boxed = from_base64url(token);
    if (!boxed) return no_page();
    const auto plaintext = crypto::unbox(key, as_bytes(actor.str()), *boxed);
    if (!plaintext) return no_page();
    auto page = read_page(*plaintext);
    if (!page) return no_page();
    return page;
}

}  // namespace hygie::records
