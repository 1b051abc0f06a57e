#pragma once

#include <memory>
#include <string>

#include "access/circles/circle_world.h"
#include "app/house/access_state.h"
#include "app/line/context.h"

/// What the access commands share: a world and a policy pack from files.
namespace hygie::app {

/// --world or --state, --policy-pack
std::vector<Parameter> world_options();

/// Whether administrative staff see the papers of any patient, or only of those they had to do
/// with.
enum class Desk { SeesAll, NeedsReason };

/// How much of a core's records is needed: those of the PATIENT argument, or all.
enum class Reach { OnePatient, All };

struct LoadedWorld {
    std::unique_ptr<AccessState> state;  ///< of --state
    std::unique_ptr<access::Policy> policy;
    std::unique_ptr<access::CircleWorld> world;

    Status close() { return state ? state->close() : Status(); }
};
Result<LoadedWorld> open_world(Context& context, Desk desk, Reach reach);
/// The person behind an account of --state; any other name stays what it is.
std::string person_named(const LoadedWorld& loaded, const std::string& name);
Result<access::ReadFacts> read_facts(Context& context);

/// "default", or a file; the signature is checked when trusted keys are given.
Result<access::Policy> read_pack(Context& context, const std::string& path);
Result<std::string> read_pack_text(Context& context, const std::string& path);

/// Code::NotFound when the world knows none of that name.
Result<access::ActorNumber> actor_named(const access::CircleWorld& world, const std::string& name);
Result<access::PatientNumber> patient_named(const access::CircleWorld& world,
                                            const std::string& name);

}  // namespace hygie::app
