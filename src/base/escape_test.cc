#include "base/escape.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace hygie {
namespace {

RC_GTEST_PROP(Escape, NothingCanOpenATagOrEndAnAttribute, (const std::string& any)) {
    const std::string safe = html_escaped(any);
    RC_ASSERT(safe.find_first_of("<>\"'") == std::string::npos);
}

RC_GTEST_PROP(Escape, AnAddressHoldsUnreservedCharactersAlone, (const std::string& any)) {
    for (const char c : percent_encoded(any))
        RC_ASSERT(c > ' ' && c <= '~' && std::string("&=+?#/\"<>;").find(c) == std::string::npos);
}

TEST(Escape, SaysWhatItWasGiven) {
    EXPECT_EQ(html_escaped("a & <b> \"c\" 'd' é"), "a &amp; &lt;b&gt; &quot;c&quot; &#39;d&#39; é");
    EXPECT_EQ(percent_encoded("a b/é~._-"), "a%20b%2F%C3%A9~._-");
    std::string json = "x=";
    append_json_string(json, "é \"a\\b\"\n\r\t\x01/");
    EXPECT_EQ(json, "x=\"é \\\"a\\\\b\\\"\\n\\r\\t\\u0001/\"");
}

}  // namespace
}  // namespace hygie
