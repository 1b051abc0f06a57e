#include "app/line/config.h"

namespace hygie::app {
namespace {

constexpr std::uint64_t kSecond = 1'000'000;
constexpr std::uint64_t kHour = 3600 * kSecond;
constexpr std::uint64_t kDay = 24 * kHour;
constexpr std::uint64_t kYear = 365 * kDay;

/// The address of a member of Config, as settings() needs it.
#define HYGIE_FIELD(member) [](Config& c) -> Field { return &c.member; }

std::vector<Setting> node_and_ledger() {
    return {
        {.key = "node.name",
         .field = HYGIE_FIELD(node.name),
         .help = {"Nom de cette machine dans le journal. Sans lui : le nom d'hôte.",
                  "Name of this machine in the ledger. Without it: the host name."},
         .example = "\"cabinet-1\""},
        {.key = "node.state",
         .field = HYGIE_FIELD(node.state),
         .help = {"Répertoire de l'état de Hygie : clés, compteurs, files d'attente.",
                  "Directory of Hygie's state: keys, counters, queues."}},
        {.key = "ledger.dir",
         .field = HYGIE_FIELD(ledger.dir),
         .help = {"Répertoire du journal (créé par « hygie ledger init »).",
                  "Directory of the ledger (made by 'hygie ledger init')."}},
        {.key = "ledger.origin",
         .field = HYGIE_FIELD(ledger.origin),
         .help = {"Nom public du journal, première ligne de ses points de contrôle. Écrit ici, il "
                  "doit être "
                  "celui du répertoire.",
                  "Public name of the ledger, first line of its checkpoints. When written here, it "
                  "must be "
                  "the directory's own."},
         .example = "\"cabinet.example/journal\""},
        {.key = "ledger.checkpoint_interval",
         .field = HYGIE_FIELD(ledger.checkpoint_interval),
         .help = {"Délai le plus long avant qu'un événement durable soit publié dans un point de "
                  "contrôle.",
                  "Longest time before a durable event is published in a checkpoint."},
         .min = kSecond,
         .max = kHour},
        {.key = "ledger.heartbeat",
         .field = HYGIE_FIELD(ledger.heartbeat),
         .help = {"Sans événement, un point de contrôle est signé à ce rythme : le silence devient "
                  "visible.",
                  "Without events, a checkpoint is signed this often: silence becomes visible."},
         .min = kSecond,
         .max = kHour},
        {.key = "ledger.batch_window_us",
         .field = HYGIE_FIELD(ledger.batch_window_us),
         .help = {"Temps pendant lequel les écritures simultanées se regroupent en une seule "
                  "synchronisation.",
                  "Time during which simultaneous writes gather into one synchronisation."},
         .unit = "µs",
         .min = 0,
         .max = 1'000'000},
        {.key = "ledger.retention.trace_1y",
         .field = HYGIE_FIELD(ledger.retention.trace_1y),
         .help = {"Traces techniques et accès : de 6 mois à 1 an (CNIL, délibération 2021-122).",
                  "Technical and access traces: 6 months to 1 year (CNIL, deliberation 2021-122)."},
         .min = 180 * kDay,
         .max = 366 * kDay},
        {.key = "ledger.retention.control_3y",
         .field = HYGIE_FIELD(ledger.retention.control_3y),
         .help = {"Traces du contrôle interne : jusqu'à 3 ans (CNIL, délibération 2021-122).",
                  "Traces for internal control: up to 3 years (CNIL, deliberation 2021-122)."},
         .min = 180 * kDay,
         .max = 3 * (366 * kDay)},
        {.key = "ledger.retention.record_10y",
         .field = HYGIE_FIELD(ledger.retention.record_10y),
         .help = {"Traces liées au dossier partagé : 10 ans au moins.",
                  "Traces tied to the shared record: at least 10 years."},
         .min = 10 * kYear,
         .max = 100 * kYear},
        {.key = "ledger.retention.record_20y",
         .field = HYGIE_FIELD(ledger.retention.record_20y),
         .help = {"Traces liées au dossier d'un établissement : 20 ans au moins (CSP, R. 1112-7).",
                  "Traces tied to a hospital's record: at least 20 years (CSP, R. 1112-7)."},
         .min = 20 * kYear,
         .max = 100 * kYear},
    };
}

std::vector<Setting> witness_and_link() {
    return {
        {.key = "witness.policy",
         .field = HYGIE_FIELD(witness.policy),
         .help =
             {"Politique de témoins (C2SP tlog-policy) : qui doit cosigner nos points de contrôle.",
              "Witness policy (C2SP tlog-policy): who must cosign our checkpoints."},
         .example = "\"/etc/hygie/witness.policy\""},
        {.key = "witness.own.listen",
         .field = HYGIE_FIELD(witness.own.listen),
         .help = {"Adresse où notre propre témoin sert les journaux des autres. Sans elle : pas "
                  "de témoin.",
                  "Address where our own witness serves the ledgers of others. Without it: no "
                  "witness."},
         .example = "\"127.0.0.1:8481\""},
        {.key = "witness.own.state",
         .field = HYGIE_FIELD(witness.own.state),
         .help = {"Répertoire de l'état de notre témoin : le dernier point de contrôle vu de "
                  "chaque journal.",
                  "Directory of our witness's state: the last checkpoint seen of each ledger."}},
        {.key = "link.socket",
         .field = HYGIE_FIELD(link.socket),
         .help = {"Prise locale par laquelle les gardes de cette machine parlent au cœur.",
                  "Local socket by which the guards of this machine talk to the core."}},
        {.key = "link.allowed_uids",
         .field = HYGIE_FIELD(link.allowed_uids),
         .help = {"Numéros des comptes (uid) qui peuvent s'y connecter.",
                  "Numbers of the accounts (uid) that may connect to it."}},
        {.key = "link.listen",
         .field = HYGIE_FIELD(link.listen),
         .help = {"Adresse pour les gardes d'autres machines, en TLS mutuel. Sans elle : machine "
                  "seule.",
                  "Address for guards on other machines, with mutual TLS. Without it: this machine "
                  "only."},
         .example = "\"192.0.2.10:8482\""},
        {.key = "link.cert",
         .field = HYGIE_FIELD(link.cert),
         .help = {"Certificat du cœur (PEM).", "Certificate of the core (PEM)."},
         .example = "\"/etc/hygie/link.crt\""},
        {.key = "link.key",
         .field = HYGIE_FIELD(link.key),
         .help = {"Clé privée de ce certificat (PEM).", "Private key of that certificate (PEM)."},
         .example = "\"/etc/hygie/link.key\""},
        {.key = "link.ca",
         .field = HYGIE_FIELD(link.ca),
         .help = {"Autorité qui a signé les certificats des gardes (PEM).",
                  "Authority that signed the guards' certificates (PEM)."},
         .example = "\"/etc/hygie/link-ca.crt\""},
    };
}

std::vector<Setting> outside() {
    return {
        {.key = "export.target",
         .field = HYGIE_FIELD(exporting.target),
         .help =
             {"Serveur syslog en TLS (RFC 5425) qui reçoit les traces. Sans lui : rien ne sort.",
              "Syslog server over TLS (RFC 5425) that receives the traces. Without it: nothing "
              "leaves."},
         .example = "\"siem.example:6514\""},
        {.key = "export.ca",
         .field = HYGIE_FIELD(exporting.ca),
         .help = {"Autorité qui a signé le certificat de ce serveur (PEM).",
                  "Authority that signed that server's certificate (PEM)."},
         .example = "\"/etc/hygie/siem-ca.crt\""},
        {.key = "export.format",
         .field = HYGIE_FIELD(exporting.format),
         .help = {"Format des traces exportées.", "Format of the exported traces."},
         .choices = {"syslog", "cef", "json"}},
        {.key = "serve.listen",
         .field = HYGIE_FIELD(serve.listen),
         .help = {"Adresse où « hygie serve » écoute.", "Address where 'hygie serve' listens."}},
        {.key = "serve.url",
         .field = HYGIE_FIELD(serve.url),
         .help = {"L'adresse par laquelle on arrive, si ce n'est pas celle où l'on écoute.",
                  "The address people come by, when it is not the one listened on."},
         .example = "\"https://hygie.cabinet.example\""},
        {.key = "serve.cert",
         .field = HYGIE_FIELD(serve.cert),
         .help = {"Certificat du service (PEM), relu quand il change. Sans lui : un certificat de "
                  "l'autorité de la maison.",
                  "Certificate of the service (PEM), read again when it changes. Without it: one "
                  "of the house's own authority."},
         .example = "\"/etc/hygie/serve.crt\""},
        {.key = "serve.tls",
         .field = HYGIE_FIELD(serve.tls),
         .help = {"La plus ancienne version de TLS parlée. 1.2 est pour des logiciels qui ne "
                  "savent rien de plus récent (Windows 10, .NET Framework), en chiffrement "
                  "authentifié et à clé éphémère seulement.",
                  "The oldest version of TLS that is spoken. 1.2 is for software that knows "
                  "nothing newer (Windows 10, .NET Framework), with authenticated encryption and "
                  "ephemeral keys only."},
         .choices = {"1.3", "1.2"}},
        {.key = "serve.key",
         .field = HYGIE_FIELD(serve.key),
         .help = {"Clé privée de ce certificat (PEM).", "Private key of that certificate (PEM)."},
         .example = "\"/etc/hygie/serve.key\""},
    };
}

std::vector<Setting> what_records_hold() {
    return {
        {.key = "records.profiles",
         .field = HYGIE_FIELD(records.profiles),
         .help = {"Dossier d'un paquet FHIR décompressé (fr-core…) : ses profils sont vérifiés en "
                  "plus de R4.",
                  "Folder of an unpacked FHIR package (fr-core…): its profiles are checked besides "
                  "R4."},
         .example = "\"/etc/hygie/fr-core/package\""},
        {.key = "records.completeness",
         .field = HYGIE_FIELD(records.completeness),
         .help =
             {"Ce que R4 permet et à quoi il manque ce qu'un dossier doit contenir, ou dont une "
              "référence ne mène nulle part : averti (lenient) ou refusé (strict).",
              "What R4 allows and lacks something that a record must hold, or refers to nothing "
              "that is there: warned about (lenient) or refused (strict)."},
         .choices = {"lenient", "strict"}},
        {.key = "records.practice",
         .field = HYGIE_FIELD(records.practice),
         .help = {"Qui tient les dossiers : un cabinet (office), ou un établissement "
                  "(establishment), où il faut aussi savoir qui, pourquoi, et l'identité vérifiée.",
                  "Who keeps the records: a practice (office), or an establishment, where who, "
                  "why and the verified identity are needed too."},
         .choices = {"office", "establishment"}},
        {.key = "records.time_zone",
         .field = HYGIE_FIELD(records.time_zone),
         .help = {"Fuseau horaire du cabinet (base IANA) : celui des dates écrites ou cherchées "
                  "sans fuseau. Sans lui : celui d'avant, au début Europe/Paris. En changer refait "
                  "les index.",
                  "Time zone of the practice (IANA database): that of dates written or searched "
                  "without one. Without it: as before, at first Europe/Paris. Changing it makes "
                  "the indexes anew."},
         .example = "\"Indian/Reunion\""},
        {.key = "records.notify",
         .field = HYGIE_FIELD(records.notify),
         .help = {"Adresses https, séparées par des espaces, sous lesquelles les abonnements "
                  "peuvent être notifiés ; aucune : rien n'est envoyé.",
                  "https addresses, with spaces between, below which subscriptions may be "
                  "notified; none: nothing is sent."},
         .example = "\"https://dossier.example/notifications/\""},
    };
}

std::vector<Setting> sign_in_elsewhere() {
    return {
        {.key = "sign_in.issuer",
         .field = HYGIE_FIELD(sign_in.issuer),
         .help = {"Fournisseur OpenID Connect où l'on peut aussi se connecter (son « issuer »). "
                  "Sans lui : seulement ici.",
                  "OpenID Connect provider where people may sign in too (its issuer). Without it: "
                  "here only."},
         .example = "\"https://auth.esw.esante.gouv.fr/auth/realms/esante-wallet\""},
        {.key = "sign_in.client",
         .field = HYGIE_FIELD(sign_in.client),
         .help = {"Sous quel identifiant il nous connaît ; adresse de retour : celle du service, "
                  "puis /oauth/callback.",
                  "The client id it knows us by; return address: the service's own, then "
                  "/oauth/callback."},
         .example = "\"hygie-cabinet\""},
        {.key = "sign_in.secret",
         .field = HYGIE_FIELD(sign_in.secret),
         .help = {"Fichier du secret qu'il nous a donné, à la première ligne.",
                  "File of the secret it gave us, on its first line."},
         .example = "\"/etc/hygie/sign_in.secret\""},
        {.key = "sign_in.scope",
         .field = HYGIE_FIELD(sign_in.scope),
         .help = {"Portées demandées ; Pro Santé Connect : openid scope_all.",
                  "Scopes asked for; Pro Santé Connect: openid scope_all."}},
        {.key = "sign_in.parameters",
         .field = HYGIE_FIELD(sign_in.parameters),
         .help = {"Paramètres de plus, comme dans une adresse.",
                  "Further parameters, as in an address."},
         .example = "\"acr_values=eidas1\""},
        {.key = "sign_in.auth",
         .field = HYGIE_FIELD(sign_in.auth),
         .help = {"Comment les traces le nomment ; psc vaut authentification forte.",
                  "What traces call it; psc counts as strong authentication."},
         .choices = {"oidc", "psc"}},
        {.key = "sign_in.button_fr",
         .field = HYGIE_FIELD(sign_in.button_fr),
         .help = {"Le bouton de la page, en français.", "The button of the page, in French."},
         .example = "\"S'identifier avec Pro Santé Connect\""},
        {.key = "sign_in.button_en",
         .field = HYGIE_FIELD(sign_in.button_en),
         .help = {"Le bouton de la page, en anglais.", "The button of the page, in English."},
         .example = "\"Sign in with Pro Santé Connect\""},
    };
}

std::vector<Setting> running_log() {
    return {
        {.key = "log.level",
         .field = HYGIE_FIELD(log.level),
         .help = {"Le journal de marche garde ce niveau et les plus graves.",
                  "The running log keeps this level and the more serious ones."},
         .choices = {"debug", "info", "warning", "error"}},
        {.key = "log.format",
         .field = HYGIE_FIELD(log.format),
         .help = {"Lignes pour une personne, ou JSON pour une machine.",
                  "Lines for a person, or JSON for a machine."},
         .choices = {"text", "json"}},
        {.key = "log.file",
         .field = HYGIE_FIELD(log.file),
         .help = {"Fichier du journal de marche. Sans lui : la sortie d'erreur.",
                  "File of the running log. Without it: standard error."},
         .example = "\"/var/log/hygie/hygie.log\""},
    };
}

#undef HYGIE_FIELD

bool is_site(const std::string& url) {
    constexpr std::string_view kScheme = "https://";
    return url.starts_with(kScheme) && url.size() > kScheme.size() &&
           url.find_first_of("/?# ", kScheme.size()) == std::string::npos;
}

/// Encrypted, or of this machine for those who test.
bool is_issuer(const std::string& url) {
    const bool known = url.starts_with("https://") || url.starts_with("http://127.0.0.1:");
    return known && !url.ends_with('/') && url.find_first_of("?# ") == std::string::npos;
}

}  // namespace

const std::vector<Setting>& settings() {
    static const std::vector<Setting> all = [] {
        std::vector<Setting> list = node_and_ledger();
        for (const auto area :
             {witness_and_link, outside, what_records_hold, sign_in_elsewhere, running_log})
            for (Setting& setting : area()) list.push_back(std::move(setting));
        return list;
    }();
    return all;
}

const std::vector<Contradiction>& contradictions() {
    const Text give_both{"donnez les deux, ou aucun", "give both, or neither"};
    static const std::vector<Contradiction> all = {
        {"ledger.checkpoint_interval",
         [](const Config& c) { return c.ledger.checkpoint_interval > c.ledger.heartbeat; },
         {"checkpoint_interval dépasse heartbeat", "checkpoint_interval exceeds heartbeat"},
         {"un point de contrôle attendu ne peut tarder plus que le battement : diminuez-le",
          "an awaited checkpoint cannot be later than the heartbeat: lower it"}},
        {"ledger.batch_window_us",
         [](const Config& c) {
             return Micros(c.ledger.batch_window_us) > c.ledger.checkpoint_interval;
         },
         {"batch_window_us dépasse checkpoint_interval",
          "batch_window_us exceeds checkpoint_interval"},
         {"le regroupement doit finir avant la publication : diminuez-le",
          "gathering must end before publication: lower it"}},
        {"ledger.retention.control_3y",
         [](const Config& c) {
             return c.ledger.retention.control_3y < c.ledger.retention.trace_1y;
         },
         {"control_3y est plus court que trace_1y", "control_3y is shorter than trace_1y"},
         {"le contrôle interne garde au moins ce que gardent les traces",
          "internal control keeps at least what traces keep"}},
        {"link.cert",
         [](const Config& c) { return c.link.cert.path.empty() != c.link.key.path.empty(); },
         {"link.cert et link.key vont ensemble", "link.cert and link.key go together"},
         give_both},
        {"link.listen",
         [](const Config& c) {
             return !c.link.listen.text.empty() &&
                    (c.link.cert.path.empty() || c.link.ca.path.empty());
         },
         {"link.listen sans TLS mutuel", "link.listen without mutual TLS"},
         {"donnez link.cert, link.key et link.ca, ou retirez link.listen",
          "give link.cert, link.key and link.ca, or remove link.listen"}},
        {"serve.cert",
         [](const Config& c) { return c.serve.cert.path.empty() != c.serve.key.path.empty(); },
         {"serve.cert et serve.key vont ensemble", "serve.cert and serve.key go together"},
         give_both},
        {"serve.url",
         [](const Config& c) { return !c.serve.url.empty() && !is_site(c.serve.url); },
         {"serve.url n'est pas une adresse https", "serve.url is no https address"},
         {"donnez https://nom[:port], sans barre à la fin",
          "give https://name[:port], without a slash at the end"}},
        {"sign_in.issuer",
         [](const Config& c) { return !c.sign_in.issuer.empty() && !is_issuer(c.sign_in.issuer); },
         {"sign_in.issuer n'est pas une adresse https", "sign_in.issuer is no https address"},
         {"recopiez-le de la documentation du fournisseur, sans barre à la fin",
          "copy it from the provider's documentation, without a slash at the end"}},
        {"sign_in.issuer",
         [](const Config& c) {
             const bool complete = !c.sign_in.client.empty() && !c.sign_in.secret.path.empty();
             return !c.sign_in.issuer.empty() && !complete;
         },
         {"sign_in.issuer sans client ni secret", "sign_in.issuer without client or secret"},
         {"donnez sign_in.client et sign_in.secret", "give sign_in.client and sign_in.secret"}},
        {"export.target",
         [](const Config& c) {
             return !c.exporting.target.text.empty() && c.exporting.ca.path.empty();
         },
         {"export.target sans autorité de certification",
          "export.target without a certificate authority"},
         {"donnez export.ca : les traces ne partent que vers un serveur vérifié",
          "give export.ca: traces leave only for a verified server"}},
        {"witness.own.listen",
         [](const Config& c) {
             return !c.witness.own.listen.text.empty() && (c.witness.own.listen == c.serve.listen ||
                                                           c.witness.own.listen == c.link.listen);
         },
         {"deux services sur la même adresse", "two services on the same address"},
         {"changez le port de l'un d'eux", "change the port of one of them"}},
        {"link.listen",
         [](const Config& c) {
             return !c.link.listen.text.empty() && c.link.listen == c.serve.listen;
         },
         {"deux services sur la même adresse", "two services on the same address"},
         {"changez le port de l'un d'eux", "change the port of one of them"}},
        {"witness.own.state",
         [](const Config& c) { return c.witness.own.state == c.ledger.dir; },
         {"le témoin et le journal partagent un répertoire",
          "the witness and the ledger share a directory"},
         {"donnez au témoin son propre répertoire : il doit pouvoir contredire le journal",
          "give the witness its own directory: it must be able to contradict the ledger"}},
    };
    return all;
}

}  // namespace hygie::app
