#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/commands/mail_house.h"
#include "app/ledger/unlock.h"
#include "app/line/commands.h"
#include "guards/mail/judge/memory.h"

namespace hygie::app {
namespace {

using Json = nlohmann::ordered_json;

/// As a history file has it (FORMAT.md): it can seed another guard.
Json json_of(const mail::History& history) {
    Json suppliers = Json::array();
    for (const mail::Supplier& one : history.suppliers)
        suppliers.push_back({{"name", one.name}, {"domains", one.domains}, {"ibans", one.ibans}});
    Json people = Json::array();
    for (const mail::Correspondent& one : history.known_correspondents)
        people.push_back({{"address", one.address},
                          {"name", one.name},
                          {"first_seen", one.first_seen},
                          {"relation", one.relation}});
    return {{"suppliers", suppliers},
            {"known_correspondents", people},
            {"sent_or_received_message_ids", history.message_ids}};
}

Result<int> show(Context& context) {
    const crypto::RootKey root = TRY(unlock_mail(context));
    const std::string dir = join(context.values.text("--state"), "memory");
    std::vector<mail::History> parts;
    if (const auto listing = context.disk.list(dir))
        for (const DirEntry& entry : *listing)
            if (entry.name.ends_with(".hym"))
                parts.push_back(TRY(mail::open_memory(context.disk, dir,
                                                      entry.name.substr(0, entry.name.size() - 4),
                                                      root.domain(mail::kMemoryKeyDomain)))
                                    .all());
    const mail::History history = mail::merge(std::move(parts));
    if (context.json) {
        context.out << json_of(history).dump(-1, ' ', false, Json::error_handler_t::replace)
                    << "\n";
        return kExitOk;
    }
    const std::size_t people = history.known_correspondents.size();
    const std::size_t suppliers = history.suppliers.size();
    const std::size_t ids = history.message_ids.size();
    context.out << context.say(
                       {fmt::format(
                            "{} correspondants, {} fournisseurs avec leur IBAN, {} messages "
                            "échangés",
                            people, suppliers, ids),
                        fmt::format("{} correspondents, {} suppliers with their IBAN, {} messages "
                                    "exchanged",
                                    people, suppliers, ids)})
                << "\n";
    return kExitOk;
}

}  // namespace

std::vector<Command> mail_memory_commands() {
    return {
        {.path = {"mail", "memory"},
         .summary = {"dit ce que la garde a retenu du courrier de la maison",
                     "says what the guard remembers of the house's mail"},
         .description =
             {"Qui écrit depuis quand, l'IBAN de chaque fournisseur, les messages échangés. Ne "
              "s'apprend que du courrier sain et prouvé, vu plusieurs jours. En JSON, c'est un "
              "fichier pour --history.",
              "Who writes since when, the IBAN of each supplier, the messages exchanged. It is "
              "learned only from clean, proven mail, seen on several days. As JSON it is a file "
              "for --history."},
         .options = {mail_state_option(), passphrase_file_option()},
         .examples = {{"hygie --json mail memory --state /var/lib/hygie/mail",
                       {"Tout ce qui est su :", "All that is known:"}}},
         .run = show}};
}

}  // namespace hygie::app
