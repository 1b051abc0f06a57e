#include "access/circles/circle_accesses.h"
#include "access/circles/circle_world.h"
#include "base/check.h"

using namespace hygie;

/// Any FHIR-like JSON gives a world, and a world answers: no permit by a circle without its proof.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto document = fhir::parse(as_text({data, size}));
    if (!document) return 0;
    (void)access::parse_access(document->root);
    access::ReadFacts facts;
    access::read_resource(document->root, facts);
    const auto world = access::CircleWorld::build(std::move(facts), access::default_policy());
    const access::Query query{.now = 1'000'000'000, .data = access::DataClass::Notes};
    for (access::ActorNumber actor = 0; actor < world.index().actors() && actor < 20; ++actor)
        for (access::PatientNumber patient = 0; patient < world.index().patients() && patient < 20;
             ++patient) {
            const auto outcome = world.index().decide(actor, patient, query);
            HYGIE_CHECK(outcome.rule != access::Rule::Circle || outcome.proof.there(),
                        "a permit without a proof");
            HYGIE_CHECK(outcome.permitted() == world.index().allows(actor, patient, query),
                        "the fast answer differs");
        }
    return 0;
}
