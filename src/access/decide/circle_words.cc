#include "access/decide/circle_words.h"

namespace hygie::access {
namespace {

using Kind = Relation::Kind;

constexpr Phrase kKinds[kRelationKinds] = {
    {"", ""},
    {"équipe de soins de ce patient", "care team of this patient"},
    {"venue de ce patient, en cours ou récente", "encounter of this patient, open or recent"},
    {"rendez-vous de ce patient, proche", "appointment of this patient, close in time"},
    {"médecin traitant de ce patient", "general practitioner of this patient"},
    {"épisode de soins de ce patient", "episode of care of this patient"},
    {"dossier ouvert ici par cette personne", "record opened here by this person"},
    {"téléconsultation en cours avec ce patient", "teleconsultation under way with this patient"},
    {"demande de soins ou d'avis pour ce patient", "request for care or advice for this patient"},
    {"prescription pour ce patient", "prescription for this patient"},
    {"dispensation à ce patient", "dispense to this patient"},
    {"acte réalisé ou interprété pour ce patient", "act performed or interpreted for this patient"},
    {"document écrit sur ce patient", "document written about this patient"},
    {"tâche confiée pour ce patient", "task entrusted for this patient"},
    {"message échangé sur ce patient", "message exchanged about this patient"},
    {"présence de ce patient dans le service", "presence of this patient in the unit"},
    {"groupe de patients suivi", "followed group of patients"},
    {"accord donné par ce patient", "consent given by this patient"},
    {"représentant légal de ce patient", "legal representative of this patient"},
    {"facturation ou droits de ce patient", "billing or coverage of this patient"},
    {"opposition de ce patient", "opposition of this patient"},
    {"dossier confidentiel", "confidential record"},
};

constexpr Phrase kPostPhrases[kPosts] = {
    {"", ""},
    {"", ""},
    {" par son poste", " by position"},
    {" par son équipe", " by team"},
    {" par son service", " by unit"},
    {" par sa garde", " by being on call"},
    {" par délégation", " by delegation"},
    {" par son guichet", " by desk"},
    {" par son affectation", " by assignment"},
};

constexpr std::string_view kKindIds[kRelationKinds] = {
    "",           "care_team",     "encounter",        "appointment", "general_practitioner",
    "episode",    "opened_record", "teleconsultation", "referral",    "prescription",
    "dispense",   "act",           "author",           "task",        "exchange",
    "presence",   "cohort",        "consent",          "proxy",       "billing",
    "opposition", "restriction"};

Text permit_sentence(const Outcome& outcome) {
    switch (outcome.rule) {
        case Rule::Self:
            return {"Autorisé : c'est votre dossier.", "Permitted: this is your record."};
        case Rule::Administrative:
            return {"Autorisé : donnée administrative, pour l'accueil.",
                    "Permitted: administrative data, for the desk."};
        case Rule::Trace:
            return {"Autorisé : lecture des traces, pour la sécurité.",
                    "Permitted: reading traces, for security."};
        case Rule::Program:
            return {"Autorisé : ce programme a cette portée.",
                    "Permitted: this program has this scope."};
        case Rule::Directory:
            return {"Autorisé : donnée qui ne concerne aucun patient.",
                    "Permitted: data about no patient."};
        case Rule::BreakGlass:
            return {
                "Autorisé par bris de glace : motif déclaré, patient prévenu, accès relu sous 72 "
                "heures.",
                "Permitted by break-glass: declared motive, patient told, access reviewed within "
                "72 hours."};
        case Rule::Cosigned:
            return {
                "Autorisé par bris de glace, contresigné par un collègue : motif déclaré, patient "
                "prévenu, accès relu sous 72 heures.",
                "Permitted by break-glass, signed by a colleague, too: declared motive, patient "
                "told, access reviewed within 72 hours."};
        case Rule::Emergency:
            return {
                "Autorisé en urgence locale, malgré l'incident qui tient ce service : bris de "
                "glace déclaré depuis, patient prévenu, accès relu sous 72 heures.",
                "Permitted as a local emergency, despite the incident that holds this unit: "
                "break-glass declared since, patient told, access reviewed within 72 hours."};
        case Rule::Purpose: {
            const Phrase purpose = phrase_of(outcome.purpose);
            return {std::string("Autorisé pour ")
                        .append(purpose.fr)
                        .append(" : autorisation accordée, ce qui identifie est masqué."),
                    std::string("Permitted for ")
                        .append(purpose.en)
                        .append(": leave was granted, what identifies is masked.")};
        }
        default:
            break;
    }
    const Phrase kind = phrase_of(outcome.kind);
    const Phrase post = phrase_of(outcome.post);
    return {std::string("Autorisé").append(post.fr).append(" : ").append(kind.fr).append("."),
            std::string("Permitted").append(post.en).append(": ").append(kind.en).append(".")};
}

}  // namespace

Phrase phrase_of(Kind kind) {
    const auto at = static_cast<std::size_t>(kind);
    return at < kRelationKinds ? kKinds[at] : Phrase{};
}

Phrase phrase_of(Purpose purpose) {
    switch (purpose) {
        case Purpose::Coding:
            return {"le codage des séjours", "the coding of stays"};
        case Purpose::Quality:
            return {"l'évaluation des soins", "the evaluation of care"};
        case Purpose::Research:
            return {"la recherche", "research"};
        case Purpose::None:
            break;
    }
    return {};
}

Phrase phrase_of(Post post) {
    const auto at = static_cast<std::size_t>(post);
    return at < kPosts ? kPostPhrases[at] : Phrase{};
}

std::string reason_id(const Outcome& outcome) {
    switch (outcome.rule) {
        case Rule::None:
            return "circle.none";
        case Rule::Frozen:
            return "circle.frozen";
        case Rule::Contained:
            return "circle.contained";
        case Rule::NoGrant:
            return "circle.no_grant";
        case Rule::Purpose:
            return "circle.purpose";
        case Rule::Ceiling:
            return "circle.ceiling";
        case Rule::Cut:
            return "circle.cut";
        case Rule::Opposed:
            return "circle.opposed";
        case Rule::Hidden:
            return "circle.hidden";
        case Rule::StepUp:
            return "circle.step_up";
        case Rule::Justify:
            return "circle.justify";
        case Rule::Scope:
            return "circle.scope";
        case Rule::Self:
            return "circle.self";
        case Rule::Administrative:
            return "circle.desk";
        case Rule::Trace:
            return "circle.trace";
        case Rule::Program:
            return "circle.program";
        case Rule::Directory:
            return "circle.directory";
        case Rule::BreakGlass:
            return "circle.break_glass";
        case Rule::Cosigned:
            return "circle.break_glass.cosigned";
        case Rule::Emergency:
            return "circle.break_glass.emergency";
        case Rule::Proxy:
        case Rule::Circle:
            break;
    }
    return std::string("circle.").append(kKindIds[static_cast<std::size_t>(outcome.kind)]);
}

Text sentence_of(const Outcome& outcome) {
    switch (outcome.rule) {
        case Rule::None:
            return {
                "Refusé : rien dans ce dossier ne relie maintenant cette personne à ce patient.",
                "Refused: nothing in this record ties this person to this patient now."};
        case Rule::Frozen:
            return {"Refusé : un incident en cours suspend ce compte.",
                    "Refused: an open incident holds this account."};
        case Rule::NoGrant:
            return {"Refusé : aucune autorisation en cours ne couvre la finalité déclarée.",
                    "Refused: no leave that holds now covers the declared purpose."};
        case Rule::Contained:
            return {"Refusé : un incident en cours tient le service de cette personne.",
                    "Refused: an open incident holds this person's unit."};
        case Rule::Ceiling:
            return {"Refusé : ce rôle ou cette profession n'ouvre pas cette catégorie de données.",
                    "Refused: this role or profession does not open this class of data."};
        case Rule::Cut:
            return {"Refusé : beaucoup trop de dossiers ouverts en peu de temps.",
                    "Refused: far too many records opened in a short time."};
        case Rule::Opposed:
            return {"Refusé : le patient s'y oppose.", "Refused: the patient opposes it."};
        case Rule::Hidden:
            return {"Refusé : cette donnée est masquée ou confidentielle.",
                    "Refused: this data is masked or confidential."};
        case Rule::StepUp:
            return {"En attente : cette donnée demande une connexion à deux facteurs.",
                    "On hold: this data needs a sign-in with two factors."};
        case Rule::Justify:
            return {"En attente : bien plus de dossiers que d'habitude ; un motif est demandé.",
                    "On hold: many more records than usual; a motive is asked for."};
        case Rule::Scope:
            return {"Refusé : la portée accordée au programme ne couvre pas cet acte.",
                    "Refused: the scope granted to the program does not cover this act."};
        default:
            return permit_sentence(outcome);
    }
}

Text remedy_of(const Outcome& outcome) {
    switch (outcome.rule) {
        case Rule::None:
            return {
                "Pour y avoir droit : un rendez-vous, une venue, une équipe de soins ou l'accord "
                "du patient ; en "
                "urgence, le bris de glace avec motif.",
                "To become entitled: an appointment, an encounter, a care team or the patient's "
                "consent; in an "
                "emergency, break-glass with a motive."};
        case Rule::Opposed:
            return {
                "Parlez-en avec le patient, qui seul peut lever son opposition ; en urgence, le "
                "bris de glace.",
                "Talk with the patient, who alone can lift the opposition; in an emergency, "
                "break-glass."};
        case Rule::Hidden:
            return {
                "Demandez à l'auteur ou au patient ; le bris de glace ne l'ouvre que si une vie "
                "est en jeu.",
                "Ask the author or the patient; break-glass opens it only when a life is at "
                "stake."};
        case Rule::Frozen:
        case Rule::Cut:
            return {"Appelez la personne responsable de la sécurité.",
                    "Call the security officer."};
        case Rule::Contained:
            return {
                "Pour soigner en urgence, le bris de glace reste ouvert, patient par patient ; "
                "sinon, appelez la personne responsable de la sécurité.",
                "To treat in an emergency, break-glass stays open, patient by patient; otherwise "
                "call the security officer."};
        case Rule::NoGrant:
            return {
                "Demandez-la à qui en répond, avec sa durée et son motif ; pour soigner, ne "
                "déclarez pas de finalité.",
                "Ask whoever answers for it, with its time and reason; to treat, declare no "
                "purpose."};
        case Rule::Ceiling:
            return {"Demandez cette information à un professionnel qui y a droit.",
                    "Ask a professional who is entitled to it."};
        case Rule::StepUp:
            return {"Reconnectez-vous avec votre second facteur.",
                    "Sign in again with your second factor."};
        case Rule::Justify:
            return {"Donnez le motif en une phrase.", "Give the motive in one sentence."};
        case Rule::Scope:
            return {"Demandez-la à l'inscription du programme.",
                    "Ask for it when the program is registered."};
        default:
            return {};
    }
}

std::vector<event::Reason> obligations_of(std::uint8_t obligations) {
    struct Row {
        std::uint8_t bit;
        std::string_view id;
        std::string_view fr;
        std::string_view en;
    };
    static constexpr Row kRows[] = {
        {kSlow, "oblige.slow", "Les réponses sont ralenties.", "Answers are slowed down."},
        {kCut, "oblige.cut", "La session est coupée.", "The session is cut."},
        {kTellPatient, "oblige.tell_patient", "Le patient en est informé.", "The patient is told."},
        {kTellOfficer, "oblige.tell_officer", "Le responsable de la sécurité en est informé.",
         "The security officer is told."},
        {kReview, "oblige.review", "Cet accès est relu sous 72 heures.",
         "This access is reviewed within 72 hours."},
        {kMinimise, "oblige.minimise", "Ce qui identifie la personne est masqué.",
         "What identifies the person is masked."},
    };
    std::vector<event::Reason> reasons;
    for (const Row& row : kRows)
        if ((obligations & row.bit) != 0)
            reasons.push_back({.id = std::string(row.id),
                               .text = {std::string(row.fr), std::string(row.en)},
                               .evidence = {}});
    return reasons;
}

std::vector<event::Reason> reasons_of(const Outcome& outcome, std::string evidence) {
    std::vector<event::Reason> reasons{
        {.id = reason_id(outcome), .text = sentence_of(outcome), .evidence = std::move(evidence)}};
    if (Text remedy = remedy_of(outcome); !remedy.fr.empty())
        reasons.push_back({.id = "circle.remedy", .text = std::move(remedy), .evidence = {}});
    for (event::Reason& reason : obligations_of(outcome.obligations))
        reasons.push_back(std::move(reason));
    return reasons;
}

}  // namespace hygie::access
