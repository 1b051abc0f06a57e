#include "guards/mail/message/mime.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>

#include "guards/mail/message/charset.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"

namespace hygie::mail {
namespace {

GMimeParserOptions* parser_options() {
    static GMimeParserOptions* const options = [] {
        g_mime_init();
        GMimeParserOptions* made = g_mime_parser_options_new();
        g_mime_parser_options_set_address_compliance_mode(made, GMIME_RFC_COMPLIANCE_LOOSE);
        g_mime_parser_options_set_parameter_compliance_mode(made, GMIME_RFC_COMPLIANCE_LOOSE);
        g_mime_parser_options_set_rfc2047_compliance_mode(made, GMIME_RFC_COMPLIANCE_LOOSE);
        g_mime_parser_options_set_allow_addresses_without_domain(made, TRUE);
        return made;
    }();
    return options;
}

std::string text_or_empty(const char* text) {
    return text ? clean_utf8(text) : std::string();
}

}  // namespace

GOwned<GMimeMessage> mime_message(std::string_view bytes) {
    GMimeParserOptions* options = parser_options();
    const GOwned<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size()));
    const GOwned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
    g_mime_parser_set_persist_stream(parser.get(), TRUE);
    return GOwned<GMimeMessage>(g_mime_parser_construct_message(parser.get(), options));
}

std::string part_bytes(GMimePart* part, std::size_t size_max) {
    GMimeDataWrapper* content = g_mime_part_get_content(part);
    if (!content) return {};
    const GOwned<GMimeStream> out(g_mime_stream_mem_new());
    g_mime_data_wrapper_write_to_stream(content, out.get());
    const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(out.get()));
    if (!bytes || bytes->len == 0) return {};
    return {reinterpret_cast<const char*>(bytes->data),
            std::min<std::size_t>(bytes->len, size_max)};
}

std::string part_file_name(GMimeObject* part) {
    const char* name = GMIME_IS_PART(part) ? g_mime_part_get_filename(GMIME_PART(part)) : nullptr;
    return std::string(cut(text_or_empty(name), 1024));
}

std::string part_type(GMimeObject* part) {
    GMimeContentType* type = g_mime_object_get_content_type(part);
    if (!type) return "text/plain";
    return lower(text_or_empty(g_mime_content_type_get_media_type(type)) + "/" +
                 text_or_empty(g_mime_content_type_get_media_subtype(type)));
}

std::string part_parameter(GMimeObject* part, const char* name) {
    GMimeContentType* type = g_mime_object_get_content_type(part);
    return type ? text_or_empty(g_mime_content_type_get_parameter(type, name)) : std::string();
}

bool is_attachment(GMimeObject* part) {
    const GMimeContentDisposition* how = g_mime_object_get_content_disposition(part);
    if (!how) return false;
    const char* word =
        g_mime_content_disposition_get_disposition(const_cast<GMimeContentDisposition*>(how));
    return word && equal_any_case(word, "attachment");
}

std::string signed_content(std::string_view cms) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> in(
        BIO_new_mem_buf(cms.data(), static_cast<int>(cms.size())), BIO_free);
    const std::unique_ptr<CMS_ContentInfo, decltype(&CMS_ContentInfo_free)> info(
        d2i_CMS_bio(in.get(), nullptr), CMS_ContentInfo_free);
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
    std::string content;
    // The content is wanted, not the proof: who signed is for the reader's program to say.
    constexpr unsigned kFlags =
        CMS_NO_SIGNER_CERT_VERIFY | CMS_NO_CONTENT_VERIFY | CMS_NO_ATTR_VERIFY | CMS_BINARY;
    if (info && out && CMS_verify(info.get(), nullptr, nullptr, nullptr, out.get(), kFlags) == 1) {
        char* data = nullptr;
        const long size = BIO_get_mem_data(out.get(), &data);
        if (size > 0) content.assign(data, static_cast<std::size_t>(size));
    }
    ERR_clear_error();
    return content;
}

}  // namespace hygie::mail
