#include "app/house/access_world.h"

#include "access/circles/circle_load.h"
#include "app/ledger/ledger_desk.h"
#include "app/ledger/unlock.h"

namespace hygie::app {

std::vector<Parameter> world_options() {
    return {{.name = "-w,--world",
             .placeholder = "DIR|FILE",
             .kind = Kind::File,
             .help = {"l'hôpital en FHIR R4 : Bundles ou NDJSON, fichier ou dossier",
                      "the hospital in FHIR R4: Bundles or NDJSON, a file or a folder"}},
            {.name = "--state",
             .placeholder = "DIR",
             .kind = Kind::Dir,
             .help = {"au lieu de --world : le dossier de « hygie serve », en marche ou non",
                      "instead of --world: the folder of 'hygie serve', running or not"}},
            reader_option(),
            passphrase_file_option(),
            {.name = "--policy-pack",
             .placeholder = "FILE",
             .kind = Kind::File,
             .help = {"paquet de règles ; sans lui, celui en vigueur dans --state, sinon celui du "
                      "programme (« default »)",
                      "policy pack; without it, the one in force in --state, else the program's "
                      "own ('default')"}}};
}

Result<std::string> read_pack_text(Context& context, const std::string& path) {
    if (path == "default") return std::string(access::default_policy_text());
    return std::string(as_text(TRY(context.disk.read_file(path, access::kPolicyBytesMax))));
}

Result<access::Policy> read_pack(Context& context, const std::string& path) {
    return access::parse_policy(TRY(read_pack_text(context, path)));
}

namespace {

std::unexpected<Error> no_world() {
    return fail(
        Code::BadInput,
        {"il manque l'hôpital, ou il est donné deux fois",
         "the hospital is missing, or given twice"},
        {"donnez --world ou --state, l'un des deux", "give --world or --state, one of them"});
}

void tell_skipped(Context& context, std::size_t skipped) {
    if (skipped > 0)
        context.err << context.say({"objets ou lignes qui ne sont pas du FHIR, laissés : ",
                                    "objects or lines that are not FHIR, left out: "})
                    << skipped << "\n";
}

/// "Patient/7" or "7", when that names one patient of the vault.
std::string one_patient(Context& context) {
    std::string patient = context.values.text("PATIENT");
    return patient.substr(patient.find('/') + 1);
}

Result<access::Loaded> facts_of_state(Context& context, AccessState& state, Reach reach) {
    access::Loaded loaded;
    const Bytes lines = TRY(state.clerk().world(
        reader_of(context), reach == Reach::OnePatient ? one_patient(context) : std::string()));
    access::read_world(as_text(lines), loaded);
    return loaded;
}

Result<access::Policy> rules(Context& context, LoadedWorld& opened) {
    if (context.values.has("--policy-pack"))
        return read_pack(context, context.values.text("--policy-pack"));
    if (opened.state) return *opened.state->policy->current();
    return read_pack(context, "default");
}

}  // namespace

Result<access::ReadFacts> read_facts(Context& context) {
    auto loaded = TRY(access::load_world(context.disk, context.values.text("--world")));
    tell_skipped(context, loaded.skipped);
    return std::move(loaded.facts);
}

Result<LoadedWorld> open_world(Context& context, Desk desk, Reach reach) {
    LoadedWorld opened;
    if (context.values.has("--world") == context.values.has("--state")) return no_world();
    access::ReadFacts facts;
    if (context.values.has("--state")) {
        opened.state = std::make_unique<AccessState>(TRY(open_access_state(context)));
        access::Loaded loaded = TRY(facts_of_state(context, *opened.state, reach));
        tell_skipped(context, loaded.skipped);
        facts = std::move(loaded.facts);
    } else {
        facts = TRY(read_facts(context));
    }
    opened.policy = std::make_unique<access::Policy>(TRY(rules(context, opened)));
    if (desk == Desk::NeedsReason) opened.policy->desk_needs_reason = true;
    opened.world = std::make_unique<access::CircleWorld>(
        access::CircleWorld::build(std::move(facts), *opened.policy));
    if (!opened.state) return opened;
    const auto holds = opened.state->accounts->holds();
    for (const access::UnitHold& hold : *holds) opened.world->hold(hold);
    return opened;
}

std::string person_named(const LoadedWorld& loaded, const std::string& name) {
    const auto account = loaded.state ? loaded.state->accounts->find(name)
                                      : std::shared_ptr<const access::Account>();
    return account && !account->person.empty() ? account->person : name;
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
