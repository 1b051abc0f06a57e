#include "serve/forms.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace hygie::serve {
namespace {

TEST(Forms, ReadsWhatBrowsersSend) {
    EXPECT_EQ(*parse_form("a=1&b=x+y%26z&c&=d&&e=%C3%A9"),
              (Form{{"", "d"}, {"a", "1"}, {"b", "x y&z"}, {"c", ""}, {"e", "é"}}));
    EXPECT_TRUE(parse_form("")->empty());
}

TEST(Forms, RefusesWhatTwoReadersCouldReadDifferently) {
    for (const char* bad :
         {"a=1&a=2", "a=1&%61=2", "a=%", "a=%4", "a=%zz", "a=%00", "a=%ff", "%=1"})
        EXPECT_FALSE(parse_form(bad)) << bad;
    EXPECT_FALSE(parse_form(std::string(kFormBytesMax + 1, 'a')));
    std::string many;
    for (std::size_t i = 0; i <= kFormFieldsMax; ++i) many += "f" + std::to_string(i) + "&";
    EXPECT_FALSE(parse_form(many));
}

RC_GTEST_PROP(Forms, AreSpelledAgainToTheSame, (const std::map<std::string, std::string>& any)) {
    Form form;
    for (const auto& [name, value] : any)
        if (form.size() < kFormFieldsMax && is_utf8(name) && is_utf8(value) &&
            !name.contains('\0') && !value.contains('\0') && name.size() + value.size() > 0)
            form.emplace(name, value);
    RC_ASSERT(parse_form(spell_form(form)).value() == form);
}

TEST(Forms, FindsCookies) {
    Request request;
    request.headers = {{"cookie", "a=1; __Host-x=y=z;b=2"}};
    EXPECT_EQ(cookie(request, "a"), "1");
    EXPECT_EQ(cookie(request, "__Host-x"), "y=z");
    EXPECT_EQ(cookie(request, "b"), "2");
    EXPECT_EQ(cookie(request, "c"), "");
    EXPECT_EQ(cookie(Request{}, "a"), "");
}

}  // namespace
}  // namespace hygie::serve
