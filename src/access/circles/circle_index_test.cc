#include "access/circles/circle_index.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "access/circles/circle_reference.h"

/// The fast engine against the reference, over small worlds where everything happens at once.
namespace hygie::access {
namespace {

using Kind = Relation::Kind;
using Random = std::mt19937_64;

constexpr std::size_t kActors = 8;
constexpr std::size_t kPatients = 5;
constexpr Party kParties = 14;  ///< 1..8 are the actors themselves
constexpr Second kSpan = 40 * 86'400;
constexpr std::size_t kQuestionsPerWorld = 50;

std::uint32_t below(Random& random, std::uint32_t end) {
    return static_cast<std::uint32_t>(random() % end);
}

bool chance(Random& random, unsigned percent) {
    return below(random, 100) < percent;
}

std::pair<Second, Second> some_time(Random& random) {
    const Second from = chance(random, 30) ? 0 : 1 + below(random, kSpan);
    const Second to = chance(random, 30) ? kForever : 1 + below(random, kSpan);
    return {from, to};
}

Policy some_policy(Random& random) {
    Policy policy = default_policy();
    if (chance(random, 30)) policy.step_up = static_cast<Classes>(random());
    policy.desk_needs_reason = chance(random, 50);
    policy.delegation_depth = below(random, kDelegationDepthMax + 1);
    return policy;
}

/// Units that somebody works in, often: held before, around and after the emergencies.
void hold_some(Random& random, reference::World& world) {
    if (!chance(random, 40)) return;
    for (std::uint32_t i = 1 + below(random, 3); i > 0; --i) {
        const auto [from, to] = some_time(random);
        HeldUnit held{
            .unit = 1 + below(random, kParties - 1), .from = from, .to = to, .evidence = 400 + i};
        if (!world.memberships.empty() && chance(random, 80))
            held.unit = world
                            .memberships[below(
                                random, static_cast<std::uint32_t>(world.memberships.size()))]
                            .member.party;
        if (!world.glasses.empty() && chance(random, 50))
            held.from =
                world.glasses[below(random, static_cast<std::uint32_t>(world.glasses.size()))]
                    .glass.from -
                std::min(1U, below(random, 2));
        if (held.unit != kEverybody) world.held.push_back(held);
    }
}

reference::World some_world(Random& random, const Policy& policy) {
    reference::World world;
    for (Party i = 0; i < kActors; ++i) {
        const Role role = chance(random, 60) ? Role::Care : Role(1 + below(random, 5));
        static constexpr std::string_view kProfessions[] = {"10", "60", "35", "36", ""};
        world.actors.push_back(
            {.role = role,
             .row = &policy.row_of(role, kProfessions[below(random, 5)]),
             .self = chance(random, 95) ? i + 1 : kEverybody,
             .patient = role == Role::Patient ? below(random, kPatients) : kNobody,
             .frozen = chance(random, 3)});
    }
    // Some patients have more bonds than a filter takes, and a few more than are looked through.
    const std::uint32_t most = chance(random, 25) ? 400 : 40;
    for (std::uint32_t i = below(random, most); i > 0; --i) {
        const auto [from, to] = some_time(random);
        Bond bond{.party = below(random, kParties),
                  .from = from,
                  .to = to,
                  .evidence = i,
                  .kind = Kind(1 + below(random, kRelationKinds - 1)),
                  .classes = chance(random, 70) ? kAllClasses : static_cast<Classes>(random())};
        const bool refuses = bond.kind == Kind::Opposition || bond.kind == Kind::Restriction;
        if (bond.party == kEverybody && !refuses) bond.party = 1;
        world.bonds.push_back({below(random, kPatients), bond});
    }
    for (std::uint32_t i = below(random, 20); i > 0; --i) {
        const auto [from, to] = some_time(random);
        world.memberships.push_back({below(random, kActors),
                                     {.party = below(random, kParties),
                                      .from = from,
                                      .to = to,
                                      .evidence = 100 + i,
                                      .post = Post(2 + below(random, 7))}});
        // Acting for somebody is said by delegations.
        if (world.memberships.back().member.post == Post::Principal)
            world.memberships.back().member.post = Post::Position;
    }
    for (std::uint32_t i = below(random, 8); i > 0; --i) {
        const auto [from, to] = some_time(random);
        world.delegations.push_back(
            {below(random, kActors), below(random, kActors), from, to, 200 + i});
    }
    for (std::uint32_t i = below(random, 4); i > 0; --i) {
        const Second from = below(random, kSpan);
        const reference::World::Opened opened{below(random, kActors),
                                              below(random, kPatients),
                                              {.from = from,
                                               .to = from + below(random, 3700),
                                               .vital = chance(random, 50),
                                               .evidence = 300 + i,
                                               .cosigned = chance(random, 40)}};
        const auto same = [&](const reference::World::Opened& other) {
            return other.actor == opened.actor && other.patient == opened.patient;
        };
        if (std::ranges::none_of(world.glasses, same)) world.glasses.push_back(opened);
    }
    hold_some(random, world);
    for (std::uint32_t i = below(random, 6); i > 0; --i) {
        const auto [from, to] = some_time(random);
        world.leaves.push_back(
            {below(random, kActors), Purpose(1 + below(random, 3)), from, to, 500 + i});
    }
    return world;
}

CircleIndex index_of(const Policy& policy, const reference::World& world) {
    CircleIndex index(policy, kPatients, world.bonds, world.actors, world.memberships,
                      world.delegations);
    for (const auto& [actor, patient, glass] : world.glasses)
        index.open_glass(actor, patient, glass);
    for (const HeldUnit& one : world.held) index.hold(one);
    for (const Leave& one : world.leaves) index.grant(one);
    return index;
}

Query some_query(Random& random) {
    return {.now = below(random, kSpan + 86'400) + 1,
            .data = DataClass(below(random, kDataClasses)),
            .writing = chance(random, 20),
            .strong = chance(random, 50),
            .labels =
                chance(random, 70) ? std::uint8_t{0} : static_cast<std::uint8_t>(below(random, 16)),
            .pressure = chance(random, 80) ? Pressure::Calm : Pressure(below(random, 4)),
            .justified = chance(random, 30),
            .purpose = chance(random, 80) ? Purpose::None : Purpose(1 + below(random, 3))};
}

/// A question about a moment when something begins or ends, or about an opened record: where
/// mistakes live.
void sharpen(Random& random, const Policy& policy, const reference::World& world,
             ActorNumber& actor, PatientNumber& patient, Query& query) {
    if (!world.glasses.empty() && chance(random, 20)) {
        const auto& opened =
            world.glasses[below(random, static_cast<std::uint32_t>(world.glasses.size()))];
        actor = opened.actor;
        patient = opened.patient;
        query.now = opened.glass.from + below(random, 3700);
    } else if (!world.leaves.empty() && query.purpose != Purpose::None && chance(random, 70)) {
        const Leave& leave =
            world.leaves[below(random, static_cast<std::uint32_t>(world.leaves.size()))];
        actor = leave.actor;
        query.purpose = leave.purpose;
        if (chance(random, 30)) query.now = std::max(leave.from, 2U) - below(random, 2);
    } else if (!world.bonds.empty() && chance(random, 50)) {
        const auto& [whose, bond] =
            world.bonds[below(random, static_cast<std::uint32_t>(world.bonds.size()))];
        const Window& window = policy.window_of(bond.kind);
        patient = whose;
        const std::int64_t edge = chance(random, 50) ? std::int64_t{bond.from} - window.before
                                                     : std::int64_t{bond.to} + window.after;
        const std::int64_t now = edge - 1 + below(random, 3);
        if (now > 0 && now < kForever) query.now = static_cast<Second>(now);
    }
}

/// No emergency but one that was declared: in time, by two factors or two people, and in a unit
/// that is held since it is.
void expect_declared(const CircleIndex& index, ActorNumber actor, PatientNumber patient,
                     const Query& query, const Outcome& outcome) {
    const Glass* glass = index.glass(actor, patient);
    ASSERT_NE(glass, nullptr);
    ASSERT_TRUE(holds(glass->from, glass->to, query.now));
    ASSERT_TRUE(query.strong || glass->cosigned);
    ASSERT_TRUE(index.actor(actor).row->break_glass);
    const auto held = index.held(actor, query.now);
    ASSERT_EQ(held.has_value(), outcome.rule == Rule::Emergency);
    if (held) {
        ASSERT_GE(glass->from, held->unit.from);
        ASSERT_EQ(held->member.party, held->unit.unit);
        ASSERT_TRUE(holds(held->member.from, held->member.to, query.now));
    } else {
        ASSERT_EQ(glass->cosigned, outcome.rule == Rule::Cosigned);
    }
}

/// No permit without a proof, and a proof whose every step holds now.
void expect_proven(const CircleIndex& index, ActorNumber actor, PatientNumber patient,
                   const Query& query, const Outcome& outcome) {
    const auto held = index.held(actor, query.now);
    if (is_break_glass(outcome.rule)) return expect_declared(index, actor, patient, query, outcome);
    ASSERT_FALSE(held && outcome.permitted()) << "in a unit that is held";
    ASSERT_EQ(outcome.rule == Rule::Purpose, outcome.permitted() && query.purpose != Purpose::None);
    ASSERT_EQ(outcome.rule == Rule::Purpose, (outcome.obligations & kMinimise) != 0);
    if (outcome.rule == Rule::Purpose) {
        ASSERT_NE(index.leave(actor, query.purpose, query.now), nullptr);
        ASSERT_TRUE(query.strong);
    }
    if (outcome.rule != Rule::Circle && outcome.rule != Rule::Proxy) return;
    ASSERT_TRUE(outcome.proof.there());
    const Bond bond = index.bond(patient, outcome.proof.bond);
    const Membership& member = index.membership(actor, outcome.proof.member);
    ASSERT_EQ(bond.party, member.party);
    ASSERT_EQ(bond.kind, outcome.kind);
    ASSERT_EQ(member.post, outcome.post);
    ASSERT_NE(bond.party, kEverybody);
    ASSERT_TRUE(holds(member.from, member.to, query.now));
    ASSERT_TRUE(holds(bond, index.policy().window_of(bond.kind), query.now));
    ASSERT_NE(bond.classes & bit(query.data), 0);
}

std::uint64_t cases_wanted() {
    constexpr std::uint64_t kUsual = 100'000;
    const char* wanted = std::getenv("HYGIE_CIRCLE_CASES");
    return wanted ? std::strtoull(wanted, nullptr, 10) : kUsual;
}

TEST(CircleIndex, AgreesWithTheReferenceOnEveryCase) {
    std::uint64_t permits = 0;
    std::array<std::uint64_t, 32> rules{};
    const std::uint64_t worlds = cases_wanted() / kQuestionsPerWorld;
    for (std::uint64_t seed = 0; seed < worlds; ++seed) {
        Random random(seed);
        const Policy policy = some_policy(random);
        const reference::World world = some_world(random, policy);
        const CircleIndex index = index_of(policy, world);
        for (std::size_t i = 0; i < kQuestionsPerWorld; ++i) {
            ActorNumber actor = below(random, kActors);
            PatientNumber patient = below(random, kPatients);
            Query query = some_query(random);
            sharpen(random, policy, world, actor, patient, query);
            const Outcome outcome = index.decide(actor, patient, query);
            const Rule rule = reference::decide(world, policy, actor, patient, query);
            ASSERT_EQ(static_cast<int>(outcome.rule), static_cast<int>(rule)) << "seed " << seed;
            ASSERT_EQ(index.allows(actor, patient, query), outcome.permitted()) << "seed " << seed;
            expect_proven(index, actor, patient, query, outcome);
            permits += outcome.permitted() ? 1U : 0U;
            ++rules[static_cast<std::size_t>(rule)];
        }
    }
    // The cases are worth something: every rule that records know was met.
    EXPECT_GT(permits, worlds);
    for (const Rule rule :
         {Rule::None, Rule::Frozen, Rule::Ceiling, Rule::Cut, Rule::Opposed, Rule::Hidden,
          Rule::StepUp, Rule::Justify, Rule::Self, Rule::Proxy, Rule::Circle, Rule::Administrative,
          Rule::Trace, Rule::BreakGlass, Rule::Contained, Rule::Cosigned, Rule::Emergency,
          Rule::NoGrant, Rule::Purpose})
        EXPECT_GT(rules[static_cast<std::size_t>(rule)], 0U) << static_cast<int>(rule);
}

TEST(CircleIndex, ARefusalAddedNeverOpensAnything) {
    for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
        Random random(seed);
        const Policy policy = some_policy(random);
        const reference::World world = some_world(random, policy);
        const CircleIndex before = index_of(policy, world);
        CircleIndex after = index_of(policy, world);
        const PatientNumber patient = below(random, kPatients);
        const auto [from, to] = some_time(random);
        after.add(PatientBond{patient,
                              {.party = below(random, kParties),
                               .from = from,
                               .to = to,
                               .kind = chance(random, 70) ? Kind::Opposition : Kind::Restriction}});
        CircleIndex held = index_of(policy, world);
        const HeldUnit unit{.unit = 1 + below(random, kParties - 1), .from = from, .to = to};
        held.hold(unit);
        for (ActorNumber actor = 0; actor < kActors; ++actor) {
            const Query query = some_query(random);
            const bool open = after.allows(actor, patient, query);
            ASSERT_TRUE(!open || before.allows(actor, patient, query)) << "seed " << seed;
            ASSERT_TRUE(!held.allows(actor, patient, query) || before.allows(actor, patient, query))
                << "seed " << seed;
            Query labelled = query;
            labelled.labels |= static_cast<std::uint8_t>(1U << below(random, 4));
            ASSERT_TRUE(!before.allows(actor, patient, labelled) ||
                        before.allows(actor, patient, query))
                << "seed " << seed;
        }
    }
}

TEST(CircleIndex, ChangesAreKnownAtTheNextQuestionAsIfTheyHadAlwaysBeen) {
    for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
        Random random(seed);
        const Policy policy = some_policy(random);
        reference::World world = some_world(random, policy);
        CircleIndex index = index_of(policy, world);
        const reference::World more = some_world(random, policy);
        for (const PatientBond& bond : more.bonds) {
            index.add(bond);
            world.bonds.push_back(bond);
        }
        for (const ActorMembership& one : more.memberships) {
            index.add(one);
            world.memberships.push_back(one);
        }
        for (const Delegation& one : more.delegations) {
            index.add(one);
            world.delegations.push_back(one);
        }
        // And some of it ends.
        const Second at = 1 + below(random, kSpan);
        const std::uint32_t evidence = 1 + below(random, 20);
        const PatientNumber whose = below(random, kPatients);
        index.end_evidence(whose, evidence, at);
        for (const HeldUnit& one : more.held) {
            index.hold(one);
            world.held.push_back(one);
        }
        for (HeldUnit& one : world.held) {
            if (one.unit % 2 == 0) continue;
            index.release(one.unit, at);
            one.to = std::min(one.to, at);
        }
        for (auto& [patient, bond] : world.bonds)
            if (patient == whose && bond.evidence == evidence) bond.to = std::min(bond.to, at);
        for (std::size_t i = 0; i < kQuestionsPerWorld; ++i) {
            const ActorNumber actor = below(random, kActors);
            const PatientNumber patient = below(random, kPatients);
            const Query query = some_query(random);
            ASSERT_EQ(static_cast<int>(index.decide(actor, patient, query).rule),
                      static_cast<int>(reference::decide(world, policy, actor, patient, query)))
                << "seed " << seed;
        }
    }
}

TEST(CircleIndex, FilteringABundleIsAskingForEach) {
    Random random(3);
    const Policy policy = some_policy(random);
    const reference::World world = some_world(random, policy);
    const CircleIndex index = index_of(policy, world);
    std::vector<CircleIndex::Item> items;
    for (std::size_t i = 0; i < 500; ++i)
        items.push_back({below(random, kPatients), DataClass(below(random, kDataClasses)),
                         static_cast<std::uint8_t>(below(random, 16))});
    std::vector<std::uint8_t> answers(items.size());
    for (ActorNumber actor = 0; actor < kActors; ++actor) {
        const Query query = some_query(random);
        index.filter(actor, query, items, answers);
        for (std::size_t i = 0; i < items.size(); ++i) {
            Query one = query;
            one.data = items[i].data;
            one.labels = items[i].labels;
            ASSERT_EQ(answers[i] != 0, index.decide(actor, items[i].patient, one).permitted());
        }
    }
}

TEST(CircleIndex, LoopsOfDelegationEndAndReachNoFurtherThanAllowed) {
    Policy policy = default_policy();
    policy.delegation_depth = 2;
    std::vector<IndexedActor> actors;
    std::vector<Delegation> delegations;
    for (Party i = 0; i < 4; ++i) {
        actors.push_back({.row = &policy.row_of(Role::Care, "10"), .self = i + 1});
        delegations.push_back({i, (i + 1) % 4, 0, kForever, 0});
        delegations.push_back({i, i, 0, kForever, 0});
    }
    const PatientBond treated{0, {.party = 4, .kind = Kind::CareTeam}};
    const CircleIndex index(policy, 1, {treated}, actors, {}, delegations);
    const Query query{.now = 1000, .data = DataClass::Notes};
    EXPECT_TRUE(index.allows(3, 0, query));   // treats
    EXPECT_TRUE(index.allows(2, 0, query));   // acts for who treats
    EXPECT_TRUE(index.allows(1, 0, query));   // acts for who acts for who treats
    EXPECT_FALSE(index.allows(0, 0, query));  // one too many
}

TEST(CircleIndex, ACircleOfAHundredThousandIsSearchedNotScanned) {
    const Policy& policy = default_policy();
    constexpr Party kMany = 100'000;
    std::vector<PatientBond> bonds;
    for (Party party = 1; party <= kMany; ++party)
        bonds.push_back({0, {.party = party, .kind = Kind::CareTeam}});
    const std::vector<IndexedActor> actors = {
        {.row = &policy.row_of(Role::Care, "10"), .self = kMany},
        {.row = &policy.row_of(Role::Care, "10"), .self = kMany + 1}};
    const CircleIndex index(policy, 1, bonds, actors, {}, {});
    const Query query{.now = 1000, .data = DataClass::Notes};
    EXPECT_TRUE(index.allows(0, 0, query));
    EXPECT_FALSE(index.allows(1, 0, query));
}

}  // namespace
}  // namespace hygie::access
