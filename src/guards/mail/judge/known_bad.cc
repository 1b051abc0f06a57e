#include "guards/mail/judge/known_bad.h"

#include <algorithm>

#include "guards/mail/message/limits.h"

namespace hygie::mail {
namespace {

constexpr double kCertain = 0.999;

}  // namespace

void make_malicious(Judgement& judgement, KnownBy by, const std::string& name,
                    const std::string& file) {
    Reason reason{.id = by == KnownBy::Rule ? "files.rule" : "files.scanner",
                  .text = by == KnownBy::Rule
                              ? Text{"Une règle de la maison reconnaît ce fichier : " + name + ".",
                                     "A rule of the house knows this file: " + name + "."}
                              : Text{"L'antivirus reconnaît ce qui est joint : " + name + ".",
                                     "The virus scanner knows what is attached: " + name + "."},
                  .evidence = file,
                  .where = file.empty() ? "message" : "attachment:" + file,
                  .weight = 10};
    judgement.level = event::Level::Malicious;
    judgement.kind = Class::Malware;
    judgement.score = std::max(judgement.score, kCertain);
    judgement.class_scores[static_cast<std::size_t>(Class::Malware)] = judgement.score;
    judgement.advice = {
        "n'ouvrez pas la pièce jointe ; si c'est fait, débranchez le poste du réseau et "
        "prévenez votre informatique.",
        "do not open the attachment; if you did, take the computer off the network "
        "and tell your IT."};
    judgement.reasons.insert(judgement.reasons.begin(), std::move(reason));
    if (judgement.reasons.size() > kReasonsMax) judgement.reasons.resize(kReasonsMax);
}

void apply_known_bad(Judgement& judgement, const Evidence& evidence) {
    for (const FileFacts& file : evidence.attachments.files)
        for (const FileFacts::Finding& one : file.findings)
            if (one.capability == Capability::KnownBad) {
                make_malicious(judgement, KnownBy::Rule, one.detail, file.path);
                return;
            }
}

}  // namespace hygie::mail
