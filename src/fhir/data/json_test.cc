#include "fhir/data/json.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

using namespace hygie;
using namespace hygie::fhir;

namespace {

/// Why a text is refused, in English; empty when it is not.
std::string refusal(std::string_view text) {
    const auto read = parse(text);
    return read ? std::string() : read.error().what.en;
}

std::string spelled(std::string_view text) {
    const auto read = parse(text);
    return read ? to_text(read->root) : "refused";
}

/// Any value, at most `depth` deep.
Json any_value(Arena& arena, int depth) {
    const int kind = *rc::gen::inRange(0, depth > 0 ? 6 : 4);
    if (kind == 0) return arena.null();
    if (kind == 1) return arena.boolean(*rc::gen::arbitrary<bool>());
    if (kind == 2) return arena.number(*rc::gen::arbitrary<std::int64_t>());
    if (kind == 3) return arena.string(*rc::gen::string<std::string>());
    const int count = *rc::gen::inRange(0, 24);
    std::vector<Json> items;
    std::vector<Member> members;
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) {
        items.push_back(any_value(arena, depth - 1));
        names.push_back("name " + std::to_string(i));
    }
    for (std::size_t i = 0; i < items.size(); ++i) members.push_back({names[i], items[i]});
    return kind == 4 ? arena.array(items) : arena.object(members);
}

}  // namespace

TEST(FhirJson, WhatIsReadIsWrittenAgain) {
    for (const std::string_view text :
         {R"({"a":[1,2.50,-0.0e+10,100000000000000000000.10],"b":{},"c":[],"d":null})",
          R"([true,false,"\"\\\n\r\t\u0001/é😀"])", R"("")", "0"})
        EXPECT_EQ(spelled(text), text);
    EXPECT_EQ(spelled(" { \"a\" :\n\t[ 1 ,\r 2 ] } "), R"({"a":[1,2]})");
    EXPECT_EQ(spelled(R"("\u00e9\/\ud83d\ude00\b\f")"), "\"é/😀\\u0008\\u000c\"");
}

TEST(FhirJson, WhatIsWrittenIsReadTheSame) {
    EXPECT_TRUE(rc::check("to_text, then parse", [] {
        Arena arena;
        const Json value = any_value(arena, 3);
        if (!is_utf8(to_text(value))) return;
        const auto read = parse(to_text(value));
        RC_ASSERT(read.has_value());
        RC_ASSERT(read->root == value);
        RC_ASSERT(to_text(read->root) == to_text(value));
    }));
}

TEST(FhirJson, KeepsTheDigitsOfNumbers) {
    for (const std::string_view number :
         {"0", "-1", "1.0", "1.00", "3.14159265358979323846264338327950288", "1E2", "1e-5",
          "18446744073709551616"}) {
        const auto read = parse(number);
        ASSERT_TRUE(read.has_value()) << number;
        EXPECT_TRUE(read->root.is_number());
        EXPECT_EQ(read->root.text(), number);
    }
    EXPECT_FALSE(parse("1.0")->root == parse("1.00")->root);
}

TEST(FhirJson, RefusesWhatIsNotJson) {
    for (const std::string_view text : {"",
                                        " ",
                                        "{",
                                        "}",
                                        "[1,]",
                                        "[1 2]",
                                        "{\"a\" 1}",
                                        "{\"a\":}",
                                        "{a:1}",
                                        "'a'",
                                        "\"a",
                                        "01",
                                        "+1",
                                        ".5",
                                        "1.",
                                        "1e",
                                        "NaN",
                                        "Infinity",
                                        "1e999",
                                        "tru",
                                        "nul",
                                        "\"\\x\"",
                                        "\"\\ud800\"",
                                        "\"\\udc00\"",
                                        "\"\\ud800\\u0041\"",
                                        "{\"\\udc00\":1}",
                                        "\"\t\"",
                                        "\"\x1f aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
                                        "\"aaaaaaaaaaaaaaaaaaaa\x1a\"",
                                        "1 2",
                                        "[] []",
                                        "/* */1",
                                        "\xEF\xBB\xBF{}",
                                        "\"\xff\"",
                                        "\"\xed\xb0\x80\""})
        EXPECT_FALSE(parse(text).has_value()) << text;
    EXPECT_FALSE(parse(std::string_view("1\0", 2)).has_value());
    EXPECT_FALSE(parse(std::string_view("1\0 2", 4)).has_value());
    EXPECT_FALSE(parse(std::string_view("\"a\0b\"", 5)).has_value());
}

TEST(FhirJson, SaysWhereAndNeverWhat) {
    EXPECT_EQ(refusal("{\n  \"name\": \"Durand\",\n  \"b\" 1}"),
              "This is not valid JSON, line 3, byte 7: “:” is missing.");
    EXPECT_EQ(refusal("[1,2"), "This is not valid JSON, line 1, byte 5: “,” or “]” is missing.");
    EXPECT_EQ(refusal("{}\nx"),
              "This is not valid JSON, line 2, byte 1: there is something behind the end.");
}

TEST(FhirJson, RefusesANameGivenTwice) {
    EXPECT_NE(refusal(R"({"a":1,"b":2,"a":3})").find("twice"), std::string::npos);
    EXPECT_NE(refusal(R"({"a":1,"\u0061":3})").find("twice"), std::string::npos);
    std::string many = "{";
    for (int i = 0; i < 100; ++i) many += "\"n" + std::to_string(i) + "\":0,";
    EXPECT_EQ(refusal(many + "\"m\":0}"), "");
    EXPECT_NE(refusal(many + "\"n42\":0}").find("twice"), std::string::npos);
    EXPECT_EQ(refusal(R"([{"a":1},{"a":{"a":2}}])"), "");
}

TEST(FhirJson, RefusesWhatIsTooDeep) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_EQ(refusal(nested(limits::kJsonDepthMax)), "");
    EXPECT_NE(refusal(nested(limits::kJsonDepthMax + 1)).find("too deep"), std::string::npos);
    EXPECT_NE(refusal(std::string(1 << 20, '[')).find("too deep"), std::string::npos);
}

TEST(FhirJson, ComparesMembersInAnyOrder) {
    EXPECT_TRUE(parse(R"({"a":1,"b":[{"x":1,"y":2}]})")->root ==
                parse(R"({"b":[{"y":2,"x":1}],"a":1})")->root);
    EXPECT_FALSE(parse(R"([1,2])")->root == parse(R"([2,1])")->root);
    EXPECT_FALSE(parse(R"({"a":1})")->root == parse(R"({"b":1})")->root);
    EXPECT_FALSE(parse(R"("1")")->root == parse(R"(1)")->root);
    std::string up = "{\"z\":0";
    std::string down;
    for (int i = 0; i < 100; ++i) {
        const std::string member = "\"n" + std::to_string(i) + "\":" + std::to_string(i);
        up += "," + member;
        down = "," + member + down;
    }
    EXPECT_TRUE(parse(up + "}")->root == parse("{\"z\":0" + down + "}")->root);
    EXPECT_FALSE(parse(up + "}")->root == parse("{\"z\":1" + down + "}")->root);
}

TEST(FhirJson, EditsMakeNewValuesAndLeaveTheOld) {
    Arena arena;
    const Json old = arena.parse(R"({"a":1,"b":2})").value();
    EXPECT_EQ(to_text(arena.with(old, "a", arena.string("x"))), R"({"a":"x","b":2})");
    EXPECT_EQ(to_text(arena.with(old, "c", arena.null())), R"({"a":1,"b":2,"c":null})");
    EXPECT_EQ(to_text(arena.with(old, "a", {})), R"({"b":2})");
    EXPECT_EQ(to_text(arena.with(old, "z", {})), R"({"a":1,"b":2})");
    EXPECT_EQ(to_text(old), R"({"a":1,"b":2})");
}

TEST(FhirJson, ACopyOutlivesItsSource) {
    Arena arena;
    Json kept;
    {
        Arena other;
        kept = arena.copy(other.parse(R"({"a":[1,"é",{"b":null}],"c":true})").value());
    }
    EXPECT_EQ(to_text(kept), R"({"a":[1,"é",{"b":null}],"c":true})");
}

TEST(FhirJson, AbsentValuesAnswerWithNothing) {
    const Json none;
    EXPECT_TRUE(none.absent());
    EXPECT_TRUE(none["a"]["b"].absent());
    EXPECT_TRUE(none.items().empty() && none.members().empty() && none.text().empty());
    EXPECT_EQ(parse("[true]")->root.items()[0].text(), "true");
}
