#include "base/check.h"
#include "base/escape.h"
#include "serve/forms.h"

using namespace hygie;

/// What is accepted is spelled again to the same fields; nothing escaped can end an attribute.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = as_text({data, size});
    if (const auto form = serve::parse_form(text)) {
        HYGIE_CHECK(form->size() <= serve::kFormFieldsMax, "more fields than the limit");
        const std::string spelled = serve::spell_form(*form);
        const auto again = serve::parse_form(spelled);
        HYGIE_CHECK(spelled.size() > serve::kFormBytesMax || (again && *again == *form),
                    "a form changes when it is spelled");
    }
    HYGIE_CHECK(html_escaped(text).find_first_of("<>\"'") == std::string::npos,
                "text could open a tag");
    serve::Request request;
    request.headers.emplace_back("cookie", std::string(text));
    HYGIE_CHECK(!serve::cookie(request, "__Host-hygie-form").contains(';'), "a cookie holds two");
    return 0;
}
