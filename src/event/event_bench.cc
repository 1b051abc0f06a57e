#include <benchmark/benchmark.h>

#include "event/codec.h"
#include "event/ndjson.h"
#include "event/sample.h"
#include "host/clock.h"
#include "host/random.h"

namespace hygie::event {
namespace {

Event typical_event() {
    Event event;
    event.id = "01891f2e-5c3a-7d11-8a4b-0123456789ab";
    event.type = Type::RecordRead;
    event.action = Action::Read;
    event.actor = {ActorId("99700212964"), "10", "psc", ActorId(""), "990000127"};
    event.subject = {PatientId("213022299082985"), ObjectId("Observation/42")};
    event.purpose = "TREAT";
    event.network = {"192.0.2.17", "poste-accueil-2"};
    event.request_id = "01891f2e-5c3a-7d11-8a4b-0123456789ac";
    return event;
}

void encode(benchmark::State& state) {
    const Event event = typical_event();
    for (auto _ : state) benchmark::DoNotOptimize(encode_body(event));
}
BENCHMARK(encode);

void decode(benchmark::State& state) {
    const Event event = typical_event();
    const auto body = encode_body(event).value();
    for (auto _ : state) benchmark::DoNotOptimize(decode_body(stamp_of(event), body));
}
BENCHMARK(decode);

void parse_json(benchmark::State& state) {
    const LineOrigin origin{real_clock(), real_random(), SourceId("records"), NodeId("cabinet-1")};
    std::string line;
    print_line(typical_event(), line);
    for (auto _ : state) benchmark::DoNotOptimize(parse_line(line, origin));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line.size()));
}
BENCHMARK(parse_json);

void print_json(benchmark::State& state) {
    const Event event = typical_event();
    std::string line;
    for (auto _ : state) {
        line.clear();
        print_line(event, line);
        benchmark::DoNotOptimize(line);
    }
}
BENCHMARK(print_json);

void sample(benchmark::State& state) {
    Sampler sampler(1);
    for (auto _ : state) benchmark::DoNotOptimize(sampler.next());
}
BENCHMARK(sample);

}  // namespace
}  // namespace hygie::event
