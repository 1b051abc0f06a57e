#include "guards/records/write/patching.h"

#include <gtest/gtest.h>

#include "guards/records/door/door_kit.h"

namespace hygie::records {
namespace {

/// The document after the patch, or its status in brackets.
std::string patch(const std::string& document, const std::string& patch_text) {
    fhir::Arena arena;
    Change change;
    change.body = arena.parse(patch_text).value();
    change.kind = change.body.is_array() ? Change::Kind::JsonPatch : Change::Kind::PathPatch;
    const auto after = patched(arena, document, change);
    return after ? fhir::to_text(*after) : "[" + std::to_string(after.error().status) + "]";
}

/// Within a resource: {"resourceType":"Basic","x":…}.
std::string basic(const std::string& x) {
    return R"({"resourceType":"Basic","x":)" + x + "}";
}

/// The appendix A of RFC 6902, as far as FHIR has such documents (no null, no empty name).
TEST(JsonPatch, DoesWhatTheRfcShows) {
    struct Case {
        std::string before, patch, after;
    };
    const std::vector<Case> cases = {
        {R"({"foo":"bar"})", R"([{"op":"add","path":"/x/baz","value":"qux"}])",
         R"({"foo":"bar","baz":"qux"})"},
        {R"(["bar","baz"])", R"([{"op":"add","path":"/x/1","value":"qux"}])",
         R"(["bar","qux","baz"])"},
        {R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/x/baz"}])",
         R"({"foo":"bar"})"},
        {R"(["bar","qux","baz"])", R"([{"op":"remove","path":"/x/1"}])", R"(["bar","baz"])"},
        {R"({"baz":"qux"})", R"([{"op":"replace","path":"/x/baz","value":"boo"}])",
         R"({"baz":"boo"})"},
        {R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
         R"([{"op":"move","from":"/x/foo/waldo","path":"/x/qux/thud"}])",
         R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"},
        {R"(["all","grass","cows","eat"])", R"([{"op":"move","from":"/x/1","path":"/x/3"}])",
         R"(["all","cows","eat","grass"])"},
        {R"({"baz":"qux","foo":["a",2,"c"]})",
         R"([{"op":"test","path":"/x/baz","value":"qux"},)"
         R"({"op":"test","path":"/x/foo/1","value":2}])",
         R"({"baz":"qux","foo":["a",2,"c"]})"},
        {R"({"foo":["bar"]})", R"([{"op":"add","path":"/x/foo/-","value":["abc","def"]}])",
         R"({"foo":["bar",["abc","def"]]})"},
        {R"({"a/b":1,"m~n":2})",
         R"([{"op":"test","path":"/x/a~1b","value":1},)"
         R"({"op":"replace","path":"/x/m~0n","value":3}])",
         R"({"a/b":1,"m~n":3})"},
        {R"({"v":[{"w":5.40}]})", R"([{"op":"test","path":"/x/v","value":[{"w":5.4}]}])",
         R"({"v":[{"w":5.40}]})"},
        {R"({"v":{"a":5.40,"b":1}})", R"([{"op":"test","path":"/x/v","value":{"b":1.0,"a":5.4}}])",
         R"({"v":{"a":5.40,"b":1}})"},
        {R"({"v":5.40})", R"([{"op":"copy","from":"/x/v","path":"/x/w"}])",
         R"({"v":5.40,"w":5.40})"},
        // An array that is emptied goes: FHIR has no empty ones.
        {R"({"foo":["bar"],"q":1})", R"([{"op":"remove","path":"/x/foo/0"}])", R"({"q":1})"},
    };
    for (const Case& one : cases)
        EXPECT_EQ(patch(basic(one.before), one.patch), basic(one.after)) << one.patch;
}

TEST(JsonPatch, RefusesWhatDoesNotFit) {
    const std::string before = basic(R"({"foo":"bar","list":[1]})");
    for (const std::string bad :
         {R"([{"op":"test","path":"/x/foo","value":"bar2"}])",
          R"([{"op":"test","path":"/x","value":{"foo":"bar","many":[1]}}])",
          R"([{"op":"test","path":"/x/list/0","value":1.01}])",
          R"([{"op":"test","path":"/x/list/0","value":"1"}])",
          R"([{"op":"test","path":"/x/none","value":1}])", R"([{"op":"remove","path":"/x/none"}])",
          R"([{"op":"replace","path":"/x/none","value":1}])",
          R"([{"op":"add","path":"/x/none/deeper","value":1}])",
          R"([{"op":"add","path":"/x/list/2","value":1}])",
          R"([{"op":"add","path":"/x/list/01","value":1}])",
          R"([{"op":"move","from":"/x","path":"/x/foo"}])",
          R"([{"op":"replace","path":"/resourceType","value":"Patient"}])",
          R"([{"op":"remove","path":""}])"})
        EXPECT_EQ(patch(before, bad), "[422]") << bad;
}

TEST(JsonPatch, TellsWhatIsNoPatchFromWhatDoesNotFit) {
    const std::string before = basic(R"({"foo":"bar","list":[1]})");
    for (const std::string bad :
         {R"([{"op":"add","path":"x/list","value":1}])",
          R"([{"op":"add","path":"/x/~2","value":1}])", R"([{"op":"add","path":"/x/v"}])",
          R"([{"op":"dance","path":"/x"}])", R"([{"path":"/x"}])", R"([1])"})
        EXPECT_EQ(patch(before, bad), "[400]") << bad;
}

std::string operation(const std::string& parts) {
    return R"({"resourceType":"Parameters","parameter":[{"name":"operation","part":[)" + parts +
           "]}]}";
}
std::string part(const std::string& name, const std::string& type, const std::string& value) {
    return R"({"name":")" + name + R"(","value)" + type + R"(":)" + value + "}";
}
std::string starts(const std::string& type, const std::string& path) {
    return part("type", "Code", '"' + type + '"') + "," + part("path", "String", '"' + path + '"');
}

/// A patient in whose place the given names and what follows them vary.
std::string person(const std::string& given, const std::string& rest, bool active = true) {
    return std::string(R"({"resourceType":"Patient","active":)") + (active ? "true" : "false") +
           R"(,"name":[{"family":"A","given":[)" + given + "]}]" + rest + "}";
}

TEST(PathPatch, AddsInsertsReplacesDeletesAndMoves) {
    const std::string born = R"(,"birthDate":"1979-02-14")";
    const std::string before = person(R"("x","y")", born);
    const auto add_to = [](const std::string& path, const std::string& name) {
        return starts("add", path) + "," + part("name", "String", '"' + name + '"') + ",";
    };
    const std::string z = part("value", "String", "\"z\"");
    struct Case {
        std::string operation, after;
    };
    const std::vector<Case> cases = {
        {starts("replace", "Patient.birthDate") + "," + part("value", "Date", "\"1980-01-01\""),
         person(R"("x","y")", R"(,"birthDate":"1980-01-01")")},
        {add_to("Patient", "gender") + part("value", "Code", "\"female\""),
         person(R"("x","y")", born + R"(,"gender":"female")")},
        {add_to("Patient.name[0]", "given") + z, person(R"("x","y","z")", born)},
        {starts("insert", "Patient.name[0].given") + "," + part("index", "Integer", "1") + "," + z,
         person(R"("x","z","y")", born)},
        {starts("move", "Patient.name[0].given") + "," + part("source", "Integer", "0") + "," +
             part("destination", "Integer", "1"),
         person(R"("y","x")", born)},
        {starts("delete", "Patient.birthDate"), person(R"("x","y")", "")},
        {starts("delete", "Patient.deceased"), before},
        {starts("replace", "Patient.active") + "," + part("value", "Boolean", "false"),
         person(R"("x","y")", born, false)},
        {add_to("Patient", "deceased") + part("value", "Boolean", "true"),
         person(R"("x","y")", born + R"(,"deceasedBoolean":true)")},
        {add_to("Patient", "contact") +
             R"({"name":"value","part":[{"name":"name","valueHumanName":{"text":"Zoé"}},)"
             R"({"name":"gender","valueCode":"female"}]})",
         person(R"("x","y")", born + R"(,"contact":[{"name":{"text":"Zoé"},"gender":"female"}])")},
    };
    for (const Case& one : cases)
        EXPECT_EQ(patch(before, operation(one.operation)), one.after) << one.operation;
}

TEST(PathPatch, AValueMayChangeItsType) {
    EXPECT_EQ(patch(R"({"resourceType":"Observation","valueQuantity":{"value":5.40}})",
                    operation(starts("replace", "Observation.value") + "," +
                              part("value", "String", "\"trace\""))),
              R"({"resourceType":"Observation","valueString":"trace"})");
}

TEST(PathPatch, RefusesWhatDoesNotFit) {
    const std::string before = R"({"resourceType":"Patient","birthDate":"1979-02-14",)"
                               R"("name":[{"given":["x"],"_given":[{"id":"1"}]}]})";
    for (const std::string& bad :
         {operation(starts("replace", "Patient.gender") + "," + part("value", "Code", "\"male\"")),
          operation(starts("add", "Patient") + "," + part("name", "String", "\"birthDate\"") + "," +
                    part("value", "Date", "\"1980\"")),
          operation(starts("add", "Patient") + "," + part("name", "String", "\"nonsense\"") + "," +
                    part("value", "Date", "\"1980\"")),
          operation(starts("delete", "Patient.name[0].given[0]")),
          operation(starts("insert", "Patient.name") + "," + part("index", "Integer", "7") + "," +
                    part("value", "HumanName", "{}")),
          operation(starts("replace", "Patient.((") + "," + part("value", "Code", "\"male\"")),
          operation(starts("dance", "Patient")), std::string(R"({"resourceType":"Parameters"})")})
        EXPECT_EQ(patch(before, bad), "[422]") << bad;
}

TEST(Patch, ThroughTheDoor) {
    kit::House house;
    const auto patched_once = house.ask(
        house.anne,
        {.method = "PATCH",
         .url = "Observation/oa1",
         .body = R"([{"op":"replace","path":"/valueQuantity/value","value":7.70}])",
         .headers = {{"content-type", "application/json-patch+json"}, {"if-match", "W/\"1\""}}});
    ASSERT_EQ(patched_once.status, 200) << patched_once.body;
    EXPECT_EQ(patched_once.json()["valueQuantity"]["value"].text(), "7.70");
    const auto by_path =
        house.ask(house.anne, {.method = "PATCH",
                               .url = "Observation/oa1",
                               .body = operation(starts("replace", "Observation.status") + "," +
                                                 part("value", "Code", "\"amended\""))});
    ASSERT_EQ(by_path.status, 200) << by_path.body;
    EXPECT_EQ(by_path.json()["status"].text(), "amended");
    EXPECT_EQ(by_path.version(), "3");
    const auto stale = house.ask(
        house.anne,
        {.method = "PATCH",
         .url = "Observation/oa1",
         .body = R"([{"op":"replace","path":"/status","value":"final"}])",
         .headers = {{"content-type", "application/json-patch+json"}, {"if-match", "W/\"1\""}}});
    EXPECT_EQ(stale.status, 412);
}

}  // namespace
}  // namespace hygie::records
