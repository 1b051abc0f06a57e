#pragma once

#include <rapidcheck.h>

#include "event/codec.h"
#include "event/event.h"

/// Arbitrary events for property tests: every type, empty and filled fields, UUIDs, accents,
/// escapes.
namespace hygie::event {

inline rc::Gen<std::string> any_text() {
    return rc::gen::oneOf(
        rc::gen::just(std::string()),
        rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '\x7f')),
        rc::gen::element<std::string>("01891f2e-5c3a-7d11-8a4b-0123456789ab", "élodie ☤ \U0001F3E5",
                                      "\"<&>\\|=]\n\r\t\x01'", std::string("a\0b", 3), "TREAT",
                                      std::string(300, 'x')));
}

template <typename Value>
rc::Gen<Value> any_named(int codes) {
    return rc::gen::map(
        rc::gen::suchThat(rc::gen::inRange(0, codes),
                          [](int code) { return !name_of(static_cast<Value>(code)).empty(); }),
        [](int code) { return static_cast<Value>(code); });
}

inline rc::Gen<Verdict> any_verdict() {
    return rc::gen::exec([] {
        Verdict verdict;
        verdict.level = *any_named<Level>(3);
        verdict.score_permille =
            *rc::gen::inRange<std::uint16_t>(0, std::uint16_t{kScorePermilleMax + 1});
        const int reasons = *rc::gen::inRange(0, 3);
        for (int i = 0; i < reasons; ++i)
            verdict.reasons.push_back({*any_text(), {*any_text(), *any_text()}, *any_text()});
        return verdict;
    });
}

inline rc::Gen<Event> any_event() {
    return rc::gen::exec([] {
        Event e;
        e.id = *any_text();
        e.type = *any_named<Type>(200);
        e.action = *any_named<Action>(128);
        e.outcome = *any_named<Outcome>(16);
        e.time = WallTime(Micros(*rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000'000)));
        e.source = SourceId(*any_text());
        e.node = NodeId(*any_text());
        e.counter = *rc::gen::arbitrary<std::uint32_t>();
        e.actor = {ActorId(*any_text()), *any_text(), *any_text(), ActorId(*any_text()),
                   *any_text()};
        e.subject = {PatientId(*any_text()), ObjectId(*any_text())};
        e.purpose = *any_text();
        e.break_glass = *rc::gen::arbitrary<bool>();
        e.network = {*any_text(), *any_text()};
        e.request_id = *any_text();
        e.basis = *any_text();
        e.query = *any_text();
        e.retention = *any_named<Retention>(16);
        if (*rc::gen::arbitrary<bool>()) e.verdict = *any_verdict();
        e.detail = *rc::gen::container<std::map<std::string, std::string>>(any_text(), any_text());
        return e;
    });
}

}  // namespace hygie::event
