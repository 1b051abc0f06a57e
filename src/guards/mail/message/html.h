#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "guards/mail/message/message.h"

/// HTML as a mail reader shows it. The tokens are those of the HTML standard; no tree is built, so
/// that no nesting and no unclosed formatting can cost more than its bytes.
namespace hygie::mail {

struct HtmlAttribute {
    std::string name;   ///< lower case
    std::string value;  ///< entities decoded
};

struct HtmlTag {
    std::string name;  ///< lower case
    bool closes = false;
    std::vector<HtmlAttribute> attributes;
    std::string_view attribute(std::string_view name) const;
    bool has(std::string_view name) const;
};

/// What the tokenizer meets, in order.
struct HtmlSink {
    std::function<void(const HtmlTag&)> tag;
    std::function<void(std::string_view)> text;    ///< as written, entities not decoded
    std::function<void(std::string_view)> script;  ///< the inside of <script>
};
void tokenize_html(std::string_view html, const HtmlSink& sink);

/// "&eacute;&#x41;" → "éA"; what is no entity stays.
std::string decode_entities(std::string_view text);

/// What a page shows and does.
struct HtmlView {
    std::string text;
    std::string hidden;
    std::string title;
    std::vector<RawLink> links;
    std::vector<Form> forms;
    std::vector<std::string> scripts;
    std::size_t images = 0;
    std::size_t tracking_images = 0;
    bool has_script = false;  ///< <script>, on…= or javascript:
    bool has_frame = false;
    std::string share;  ///< of another house, from which the page loads by itself: is_foreign_share
};
HtmlView view_html(std::string_view html);

}  // namespace hygie::mail
