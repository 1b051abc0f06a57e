#include <algorithm>
#include <future>
#include <set>
#include <thread>

#include "fhir/validate/validate.h"
#include "guards/records/door/door_kit.h"

/// Subscriptions through the door: who is told of what, when, and that the ledger knew first.
namespace hygie::records {
namespace {

using kit::House;

constexpr std::string_view kExtension =
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/";

struct Wish {
    std::string topic = "urn:hygie:topic:record-changed";
    std::string filter = "Observation?status=final";
    std::string channel = R"("type":"rest-hook","endpoint":"https://dossier.example/in/box")";
    std::string content{};  ///< payload-content
    std::string more{};
};

std::string extension(const std::string& name, const std::string& value) {
    return R"({"url":")" + std::string(kExtension) + name + R"(",)" + value + "}";
}

std::string subscription(const Wish& wish) {
    std::string text = R"({"resourceType":"Subscription","status":"requested","reason":"essai",)"
                       R"("criteria":")" +
                       wish.topic + '"';
    if (!wish.filter.empty())
        text += R"(,"_criteria":{"extension":[)" +
                extension("backport-filter-criteria", R"("valueString":")" + wish.filter + '"') +
                "]}";
    text += R"(,"channel":{)" + wish.channel + R"(,"payload":"application/fhir+json")";
    if (!wish.content.empty())
        text += R"(,"_payload":{"extension":[)" +
                extension("backport-payload-content", R"("valueCode":")" + wish.content + '"') +
                "]}";
    return text + "}" + wish.more + "}";
}

constexpr std::string_view kWebSocket = R"("type":"websocket")";

std::string observation(const std::string& patient, const std::string& status = "final") {
    return R"({"resourceType":"Observation","status":")" + status +
           R"(","code":{"text":"x"},"subject":{"reference":"Patient/)" + patient + R"("}})";
}

/// What a notification says, by the names of its parameters.
struct Told {
    fhir::Document document;
    explicit Told(std::string_view text) : document(*fhir::parse(text)) {}

    std::string value(std::string_view name) const {
        for (const fhir::Json one : status()["parameter"].items()) {
            if (one["name"].text() != name) continue;
            for (const auto& [member, value] : one.members())
                if (member.starts_with("value"))
                    return std::string(value.is_object() ? value["reference"].text()
                                                         : value.text());
        }
        return {};
    }
    fhir::Json status() const { return document.root["entry"].items()[0]["resource"]; }
    std::vector<std::string> focus() const {
        std::vector<std::string> all;
        for (const fhir::Json one : status()["parameter"].items()) {
            for (const fhir::Json part : one["part"].items())
                if (part["name"].text() == "focus")
                    all.emplace_back(part["valueReference"]["reference"].text());
        }
        return all;
    }
};

Told told(const PostRequest& request) {
    return Told(as_text(request.body));
}

/// Waits until a status is what is expected.
std::string status_of(House& house, const access::Actor& who, const std::string& id,
                      const std::string& expected) {
    std::string status;
    for (int i = 0; i < 2'000 && status != expected; ++i) {
        status = std::string(house.get(who, "Subscription/" + id).json()["status"].text());
        if (status != expected) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return status;
}

std::string made(House& house, const access::Actor& who, const Wish& wish) {
    house.machine.clock.advance(std::chrono::milliseconds(1));  // after all that is there already
    const auto answer = house.post(who, "Subscription", subscription(wish));
    EXPECT_EQ(answer.status, 201) << answer.body;
    return answer.id();
}

TEST(Subscription, GreetsThenTellsWhatItsOwnerMaySee) {
    House house;
    const std::string id = made(house, house.anne, {});
    EXPECT_EQ(status_of(house, house.anne, id, "active"), "active");
    // Bob's patient, then Anne's: Anne hears of hers alone.
    ASSERT_EQ(house.post(house.bob, "Observation", observation("c")).status, 201);
    ASSERT_EQ(house.post(house.anne, "Observation", observation("a", "preliminary")).status, 201);
    const auto seen = house.post(house.anne, "Observation", observation("a"));
    ASSERT_EQ(seen.status, 201);
    const auto sent = house.outside.wait_for(2);
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(sent[0].url, "https://dossier.example/in/box");
    EXPECT_EQ(told(sent[0]).value("type"), "handshake");
    const Told notice = told(sent[1]);
    EXPECT_EQ(notice.value("type"), "event-notification");
    EXPECT_EQ(notice.value("events-since-subscription-start"), "1");
    EXPECT_EQ(notice.value("subscription"), "Subscription/" + id);
    EXPECT_EQ(notice.focus(), std::vector<std::string>{"Observation/" + seen.id()});
    const fhir::Json entry = notice.document.root["entry"].items()[1];
    EXPECT_FALSE(entry["resource"]) << "the id, and no more";
    EXPECT_EQ(entry["fullUrl"].text(), "https://hygie.test/fhir/Observation/" + seen.id());
    for (const PostRequest& one : sent) {
        const auto parsed = fhir::parse(as_text(one.body));
        for (const fhir::Issue& issue : fhir::validate(parsed->root).issues)
            EXPECT_NE(issue.severity, fhir::Issue::Severity::Error) << issue.where;
    }
}

TEST(Subscription, NothingLeavesBeforeTheLedgerHasIt) {
    House house;
    const std::string id = made(house, house.anne, {});
    // Greeted is not yet active: what is written in between is told to nobody.
    ASSERT_EQ(status_of(house, house.anne, id, "active"), "active");
    house.trace.take();
    std::atomic<bool> traced = false;
    house.outside.on_arrival = [&](const PostRequest& request) {
        const auto focus = told(request).focus();
        if (focus.empty()) return;
        for (const event::Event& event : house.trace.take())
            traced = traced ||
                     (event.type == event::Type::RecordRead && event.detail.contains("notice") &&
                      event.subject.object.str() == focus.front() &&
                      event.subject.patient.str() == "a" && event.actor.id == house.anne.id);
    };
    ASSERT_EQ(house.post(house.anne, "Observation", observation("a")).status, 201);
    ASSERT_EQ(house.outside.wait_for(2).size(), 2U);
    EXPECT_TRUE(traced);
}

TEST(Subscription, AnAccountThatClosedIsToldNothingMore) {
    House house;
    const std::string hers = made(house, house.anne, {});
    const std::string his = made(house, house.bob, {});
    EXPECT_EQ(status_of(house, house.anne, hers, "active"), "active");
    EXPECT_EQ(status_of(house, house.bob, his, "active"), "active");
    house.anne_left = true;
    ASSERT_EQ(house.post(house.anne, "Observation", observation("a")).status, 201);
    ASSERT_EQ(house.post(house.bob, "Observation", observation("c")).status, 201);
    // One after the other: when he is told, hers was judged.
    const auto sent = house.outside.wait_for(3);
    ASSERT_EQ(sent.size(), 3U);
    EXPECT_EQ(told(sent[2]).value("subscription"), "Subscription/" + his);
    EXPECT_TRUE(
        Told(house.get(house.anne, "Subscription/" + hers + "/$events").body).focus().empty());
}

TEST(Subscription, OneThatDoesNotAnswerEndsInError) {
    House house;
    house.outside.status = 500;
    const std::string id = made(house, house.anne, {});
    EXPECT_EQ(status_of(house, house.anne, id, "error"), "error");
    EXPECT_EQ(house.outside.wait_for(3).size(), 3U);
    const auto read = house.get(house.anne, "Subscription/" + id);
    EXPECT_TRUE(read.body.contains("ne répond pas")) << read.body;
    // Written again, it begins again.
    house.outside.status = 200;
    const auto again = house.put(house.anne, "Subscription/" + id, read.body, read.header("ETag"));
    ASSERT_EQ(again.status, 200) << again.body;
    EXPECT_EQ(status_of(house, house.anne, id, "active"), "active");
}

TEST(Subscription, WhatCannotBeServedSaysSo) {
    House house;
    for (const Wish& wish :
         {Wish{.topic = "urn:none"}, Wish{.topic = "Observation?code=1"},
          Wish{.filter = "Observation?subject.name=x"}, Wish{.filter = "Nothing?x=1"},
          Wish{.channel = R"("type":"rest-hook","endpoint":"https://other.example/in")"},
          Wish{.channel = R"("type":"rest-hook","endpoint":"http://169.254.169.254/in")"},
          Wish{.channel = R"("type":"email","endpoint":"mailto:a@b.example")"},
          Wish{.channel = R"("type":"rest-hook","endpoint":"https://dossier.example/in",)"
                          R"("header":["Host: x"])"}}) {
        const auto answer = house.post(house.anne, "Subscription", subscription(wish));
        ASSERT_EQ(answer.status, 201) << answer.body;
        EXPECT_EQ(answer.json()["status"].text(), "error") << answer.body;
        EXPECT_TRUE(answer.json()["error"].text().contains(" / "));
    }
    EXPECT_TRUE(house.outside.wait_for(0).empty());
}

TEST(Subscription, IsItsOwnersAlone) {
    House house;
    const std::string id = made(house, house.anne, {});
    const std::string url = "Subscription/" + id;
    EXPECT_EQ(house.get(house.bob, url).status, 404);
    EXPECT_EQ(house.get(house.bob, url + "/$status").status, 404);
    EXPECT_EQ(house.get(house.bob, url + "/$events").status, 404);
    EXPECT_EQ(house.get(house.bob, "Subscription").references().size(), 0U);
    EXPECT_EQ(house.get(house.anne, "Subscription").references().size(), 1U);
    const auto taken = house.put(house.bob, url, house.get(house.anne, url).body, "W/\"1\"");
    EXPECT_NE(taken.status, 200);
    house.restart();
    EXPECT_EQ(house.get(house.bob, url).status, 404) << "after a restart too";
    EXPECT_EQ(house.get(house.anne, url).status, 200);
}

TEST(Subscription, SecretsOfItsChannelGoOutAndAreNeverShown) {
    House house;
    const std::string id =
        made(house, house.anne,
             {.channel = R"("type":"rest-hook","endpoint":"https://dossier.example/in/box",)"
                         R"("header":["Authorization: Bearer s3cret"])"});
    EXPECT_EQ(house.outside.wait_for(1).front().headers,
              std::vector<std::string>{"Authorization: Bearer s3cret"});
    EXPECT_EQ(status_of(house, house.anne, id, "active"), "active");
    const auto read = house.get(house.anne, "Subscription/" + id);
    EXPECT_FALSE(read.body.contains("s3cret")) << read.body;
    EXPECT_FALSE(house.get(house.anne, "Subscription/" + id + "/_history").body.contains("s3cret"));
    // What is sent back as it was read keeps the secret.
    ASSERT_EQ(house.put(house.anne, "Subscription/" + id, read.body, read.header("ETag")).status,
              200);
    const auto sent = house.outside.wait_for(2);
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(sent[1].headers, sent[0].headers);
}

TEST(Subscription, TellsAfterARestartWhatWasWrittenMeanwhile) {
    House house;
    const std::string id = made(house, house.anne, {});
    EXPECT_EQ(status_of(house, house.anne, id, "active"), "active");
    house.outside.status = 0;
    const auto written = house.post(house.anne, "Observation", observation("a"));
    house.outside.wait_for(2);
    house.restart();
    house.outside.status = 200;
    std::set<std::string> focus;
    for (std::size_t count = 3; count < 12 && focus.empty(); ++count) {
        const auto sent = house.outside.wait_for(count);
        for (const std::string& one : told(sent.back()).focus()) focus.insert(one);
        if (status_of(house, house.anne, id, "active") == "error") break;
    }
    EXPECT_TRUE(focus.contains("Observation/" + written.id()));
}

TEST(Subscription, ARestartTellsNothingFromBeforeTheSubscription) {
    House house;
    const std::string id = made(house, house.anne, {});
    EXPECT_EQ(status_of(house, house.anne, id, "active"), "active");
    house.restart();
    // Judged after all that the restart looks back at.
    const auto seen = house.post(house.anne, "Observation", observation("a"));
    ASSERT_EQ(house.outside.wait_for(2).size(), 2U);
    EXPECT_EQ(Told(house.get(house.anne, "Subscription/" + id + "/$events").body).focus(),
              std::vector<std::string>{"Observation/" + seen.id()});
}

TEST(Subscription, TellsSeveralEventsTogetherAsFarAsItIsAskedTo) {
    House house;
    const std::string id =
        made(house, house.anne,
             {.channel = R"("type":"rest-hook","endpoint":"https://dossier.example/in/box",)"
                         R"("extension":[)" +
                         extension("backport-max-count", R"("valuePositiveInt":3)") + "]"});
    EXPECT_EQ(status_of(house, house.anne, id, "active"), "active");
    // The first event is being told while four more happen.
    std::promise<void> go_on;
    house.outside.on_arrival = [&, waits = go_on.get_future().share()](const PostRequest& request) {
        if (told(request).value("type") == "event-notification") waits.wait();
    };
    for (int i = 0; i < 5; ++i)
        ASSERT_EQ(house.post(house.anne, "Observation", observation("a")).status, 201);
    std::string count;
    for (int i = 0; i < 2'000 && count != "5"; ++i) {
        count = Told(house.get(house.anne, "Subscription/" + id + "/$status").body)
                    .value("events-since-subscription-start");
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    go_on.set_value();
    std::vector<std::size_t> sizes;
    std::size_t sum = 0;
    for (std::size_t sent = 2; sent <= 6 && sum < 5; ++sent) {
        sizes.push_back(told(house.outside.wait_for(sent).at(sent - 1)).focus().size());
        sum += sizes.back();
    }
    EXPECT_EQ(sum, 5U);
    EXPECT_EQ(*std::ranges::max_element(sizes), 3U) << "what waits goes together, three at most";
}

TEST(Subscription, GivesSignsOfLifeAndComesToItsEnd) {
    House house;
    const auto end = to_rfc3339(house.machine.clock.now() + std::chrono::hours(1));
    const std::string quiet =
        made(house, house.anne,
             {.filter = "Observation?status=cancelled",
              .channel = R"("type":"rest-hook","endpoint":"https://dossier.example/in/quiet",)"
                         R"("extension":[)" +
                         extension("backport-heartbeat-period", R"("valueUnsignedInt":5)") + "]",
              .more = R"(,"end":")" + end + '"'});
    const std::string loud = made(house, house.anne, {});
    EXPECT_EQ(status_of(house, house.anne, quiet, "active"), "active");
    EXPECT_EQ(status_of(house, house.anne, loud, "active"), "active");
    // Each write wakes those who tell; the clock goes on by more than the pause in between.
    const auto heartbeats = [&] {
        const auto sent = house.outside.wait_for(0);
        return std::ranges::count_if(sent, [&](const PostRequest& request) {
            return told(request).value("type") == "heartbeat" &&
                   told(request).value("subscription") == "Subscription/" + quiet;
        });
    };
    for (int i = 0; i < 50 && heartbeats() == 0; ++i) {
        house.machine.clock.advance(std::chrono::seconds(6));
        ASSERT_EQ(house.post(house.anne, "Observation", observation("a")).status, 201);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_GT(heartbeats(), 0);
    house.machine.clock.advance(std::chrono::hours(2));
    ASSERT_EQ(house.post(house.anne, "Observation", observation("a")).status, 201);
    EXPECT_EQ(status_of(house, house.anne, quiet, "off"), "off");
    EXPECT_TRUE(house.get(house.anne, "Subscription/" + quiet).body.contains("à son terme"));
    EXPECT_EQ(status_of(house, house.anne, loud, "active"), "active");
}

TEST(Subscription, AnAddressThatIsSlowHoldsUpNoEnd) {
    House house;
    const std::string id = made(house, house.anne, {});
    EXPECT_EQ(status_of(house, house.anne, id, "active"), "active");
    std::promise<void> arrived;
    std::atomic<bool> is_slow = true;
    std::atomic<bool> was_told_to_stop = false;
    house.outside.on_arrival = [&](const PostRequest& request) {
        house.outside.status = is_slow ? 0 : 200;
        if (!is_slow.exchange(false)) return;
        arrived.set_value();
        for (int i = 0; i < 4'000 && !request.stop.stop_requested(); ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        was_told_to_stop = request.stop.stop_requested();
    };
    const auto written = house.post(house.anne, "Observation", observation("a"));
    arrived.get_future().wait();
    house.restart();
    EXPECT_TRUE(was_told_to_stop);
    const auto sent = house.outside.wait_for(3);
    ASSERT_EQ(sent.size(), 3U) << "nothing is lost: it is told after the next start";
    EXPECT_EQ(told(sent[2]).focus(), std::vector<std::string>{"Observation/" + written.id()});
}

TEST(Subscription, AWebSocketIsBoundByATokenThatServesOnce) {
    House house;
    const std::string id = made(house, house.anne, {.channel = std::string(kWebSocket)});
    const auto given = house.get(house.anne, "Subscription/" + id + "/$get-ws-binding-token");
    ASSERT_EQ(given.status, 200) << given.body;
    std::string token;
    for (const fhir::Json one : given.json()["parameter"].items())
        if (one["name"].text() == "token") token = std::string(one["valueString"].text());
    EXPECT_TRUE(given.body.contains("wss://hygie.test/fhir/_socket")) << given.body;
    std::mutex mutex;
    std::vector<std::string> heard;
    const auto socket = house.door().open_socket([&](const std::string& text) {
        const std::lock_guard lock(mutex);
        heard.push_back(text);
        return true;
    });
    EXPECT_FALSE(socket("hello"));
    EXPECT_FALSE(socket("bind-with-token: 00"));
    EXPECT_TRUE(socket("bind-with-token: " + token));
    EXPECT_FALSE(socket("bind-with-token: " + token)) << "once";
    const auto seen = house.post(house.anne, "Observation", observation("b"));
    for (int i = 0; i < 2'000; ++i) {
        {
            const std::lock_guard lock(mutex);
            if (heard.size() == 2) break;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    const std::lock_guard lock(mutex);
    ASSERT_EQ(heard.size(), 2U);
    EXPECT_EQ(Told(heard[0]).value("type"), "handshake");
    EXPECT_EQ(Told(heard[1]).focus(), std::vector<std::string>{"Observation/" + seen.id()});
}

TEST(Subscription, StatusAndEventsCanBeAskedFor) {
    House house;
    const std::string id = made(house, house.anne, {.channel = std::string(kWebSocket)});
    const auto seen = house.post(house.anne, "Observation", observation("a"));
    fhir::Document status;
    std::string count;
    for (int i = 0; i < 2'000 && count != "1"; ++i) {
        const auto answer = house.get(house.anne, "Subscription/" + id + "/$status");
        ASSERT_EQ(answer.status, 200) << answer.body;
        count = Told(answer.body).value("events-since-subscription-start");
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_EQ(count, "1");
    const auto events = house.get(house.anne, "Subscription/" + id + "/$events");
    ASSERT_EQ(events.status, 200) << events.body;
    EXPECT_EQ(Told(events.body).value("type"), "query-event");
    EXPECT_EQ(Told(events.body).focus(), std::vector<std::string>{"Observation/" + seen.id()});
    EXPECT_TRUE(
        Told(house.get(house.anne, "Subscription/" + id + "/$events?eventsSinceNumber=2").body)
            .focus()
            .empty());
    // No team of hers any more: what was told once is not told again.
    ASSERT_EQ(house.ask(house.program, {.method = "DELETE", .url = "CareTeam/team-a"}).status, 204);
    EXPECT_TRUE(
        Told(house.get(house.anne, "Subscription/" + id + "/$events").body).focus().empty());
}

TEST(Subscription, ATopicCanBeKeptAsBasic) {
    House house;
    const auto part = [](const std::string& url, const std::string& value) {
        return R"({"url":")" + url + R"(",)" + value + "}";
    };
    const std::string prefix = "http://hl7.org/fhir/5.0/StructureDefinition/";
    const std::string trigger =
        R"({"url":")" + prefix + R"(extension-SubscriptionTopic.resourceTrigger","extension":[)" +
        part("resource", R"("valueUri":"http://hl7.org/fhir/StructureDefinition/Observation")") +
        "," + part("supportedInteraction", R"("valueCode":"update")") +
        R"(,{"url":"queryCriteria","extension":[)" +
        part("previous", R"("valueString":"status:not=amended")") + "," +
        part("current", R"("valueString":"status=amended")") + "," +
        part("requireBoth", R"("valueBoolean":true)") + "]}]}";
    const auto topic = house.post(
        house.program, "Basic",
        R"({"resourceType":"Basic","code":{"coding":[{"system":"http://hl7.org/fhir/fhir-types",)"
        R"("code":"SubscriptionTopic"}]},"extension":[)" +
            part(prefix + "extension-SubscriptionTopic.url", R"("valueUri":"urn:essai:amended")") +
            "," + trigger + "]}");
    ASSERT_EQ(topic.status, 201) << topic.body;
    const std::string id = made(house, house.anne, {.topic = "urn:essai:amended", .filter = {}});
    EXPECT_EQ(status_of(house, house.anne, id, "active"), "active");
    const auto first = house.post(house.anne, "Observation", observation("a"));
    ASSERT_EQ(first.status, 201);
    std::string amended = first.body;
    amended.replace(amended.find("\"final\""), 7, "\"amended\"");
    ASSERT_EQ(house.put(house.anne, "Observation/" + first.id(), amended, "W/\"1\"").status, 200);
    const auto sent = house.outside.wait_for(2);
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(told(sent[1]).focus(), std::vector<std::string>{"Observation/" + first.id()});
}

}  // namespace
}  // namespace hygie::records
