#include "app/access_world.h"

#include "access/circle_load.h"

namespace hygie::app {

std::vector<Parameter> world_options() {
    return {{.name = "-w,--world",
             .placeholder = "DIR|FILE",
             .kind = Kind::File,
             .help = {"l'hôpital en FHIR R4 : Bundles ou NDJSON, fichier ou dossier",
                      "the hospital in FHIR R4: Bundles or NDJSON, a file or a folder"},
             .required = true},
            {.name = "--policy-pack",
             .placeholder = "FILE",
             .kind = Kind::File,
             .help = {"paquet de règles ; « default » est celui du programme",
                      "policy pack; 'default' is the program's own"},
             .by_default = "default"}};
}

Result<std::string> read_pack_text(Context& context, const std::string& path) {
    if (path == "default") return std::string(access::default_policy_text());
    return std::string(as_text(TRY(context.disk.read_file(path, access::kPolicyBytesMax))));
}

Result<access::Policy> read_pack(Context& context, const std::string& path) {
    return access::parse_policy(TRY(read_pack_text(context, path)));
}

Result<access::ReadFacts> read_facts(Context& context) {
    auto loaded = TRY(access::load_world(context.disk, context.values.text("--world")));
    if (loaded.skipped > 0)
        context.err << context.say({"objets ou lignes qui ne sont pas du FHIR, laissés : ",
                                    "objects or lines that are not FHIR, left out: "})
                    << loaded.skipped << "\n";
    return std::move(loaded.facts);
}

Result<LoadedWorld> open_world(Context& context, Desk desk) {
    LoadedWorld opened;
    opened.policy = std::make_unique<access::Policy>(
        TRY(read_pack(context, context.values.text("--policy-pack"))));
    if (desk == Desk::NeedsReason) opened.policy->desk_needs_reason = true;
    opened.world = std::make_unique<access::CircleWorld>(
        access::CircleWorld::build(TRY(read_facts(context)), *opened.policy));
    return opened;
}

Result<access::ActorNumber> actor_named(const access::CircleWorld& world, const std::string& name) {
    if (const auto actor = world.find_actor(name)) return *actor;
    return fail(Code::NotFound,
                {"ce monde ne connaît pas cette personne", "this world does not know this person"},
                {"donnez sa référence FHIR, par exemple Practitioner/12",
                 "give its FHIR reference, for example Practitioner/12"});
}

Result<access::PatientNumber> patient_named(const access::CircleWorld& world,
                                            const std::string& name) {
    if (const auto patient = world.find_patient(name)) return *patient;
    return fail(Code::NotFound,
                {"ce monde ne connaît pas ce patient", "this world does not know this patient"},
                {"donnez sa référence FHIR, par exemple Patient/7",
                 "give its FHIR reference, for example Patient/7"});
}

}  // namespace hygie::app
