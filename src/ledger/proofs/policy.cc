#include "ledger/proofs/policy.h"

#include <algorithm>
#include <map>
#include <set>

#include "ledger/tree/canonical.h"

namespace hygie::ledger {
namespace {

/// The words of a line, between spaces and tabs.
std::vector<std::string_view> words_of(std::string_view line) {
    constexpr std::string_view kBlank = " \t";
    std::vector<std::string_view> words;
    for (std::size_t at = line.find_first_not_of(kBlank); at != std::string_view::npos;
         at = line.find_first_not_of(kBlank, at)) {
        const std::size_t end = std::min(line.find_first_of(kBlank, at), line.size());
        words.push_back(line.substr(at, end - at));
        at = end;
    }
    return words;
}

bool allowed_octet(char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet == '\t' || (octet >= 0x20 && octet != 0x7F);
}

/// Whether a cosignature's time lies too far ahead.
bool from_the_future(std::uint64_t time, WallTime now) {
    const auto limit =
        std::chrono::floor<std::chrono::seconds>(now + kClockTolerance).time_since_epoch().count();
    return limit < 0 || time > static_cast<std::uint64_t>(limit);
}

bool too_old(std::uint64_t time, const Moment& moment) {
    return moment.max_age && WallTime(std::chrono::seconds(time)) < moment.now - *moment.max_age;
}

std::unexpected<Error> not_signed(const std::string& origin) {
    return fail(
        Code::Forged,
        {"aucune clé de journal de la politique n'a signé ce point de contrôle (" + origin + ")",
         "no log key of the policy has signed this checkpoint (" + origin + ")"},
        {"vérifiez l'origine et la ligne « log » de la politique ; sinon, le journal n'est pas "
         "celui attendu",
         "check the origin and the policy's log line; else this is not the log you expect"});
}

}  // namespace

/// Reads a policy line by line.
class PolicyParser {
  public:
    Result<Policy> parse(std::string_view text) {
        if (text.size() > kPolicyBytesMax) return bad("politique trop longue", "policy too long");
        while (!text.empty()) {
            ++line_;
            const auto line = take_line(text);
            if (!line)
                return bad("la dernière ligne n'est pas terminée",
                           "the last line is not terminated");
            if (line_ > kPolicyLinesMax) return bad("trop de lignes", "too many lines");
            if (!std::ranges::all_of(*line, allowed_octet))
                return bad("caractère de contrôle interdit", "control character not allowed");
            const auto words = words_of(*line);
            if (words.empty() || words[0].starts_with('#')) continue;
            TRY_STATUS(take(words));
        }
        if (!quorum_seen_)
            return bad("il manque la ligne « quorum »", "the quorum line is missing");
        return std::move(policy_);
    }

  private:
    using Words = std::vector<std::string_view>;

    std::unexpected<Error> bad(const std::string& fr, const std::string& en) const {
        const std::string line = std::to_string(line_);
        return fail(Code::BadInput,
                    {"politique, ligne " + line + " : " + fr, "policy, line " + line + ": " + en},
                    {"corrigez cette ligne ; le format est celui de C2SP tlog-policy",
                     "correct this line; the format is that of C2SP tlog-policy"});
    }

    Status take(const Words& words) {
        if (words[0] == "log") return take_log(words);
        if (words[0] == "witness") return take_witness(words);
        if (words[0] == "group") return take_group(words);
        if (words[0] == "quorum") return take_quorum(words);
        return bad("mot inconnu (attendu : log, witness, group, quorum)",
                   "unknown word (expected: log, witness, group, quorum)");
    }

    Result<VerifierKey> parse_key(std::string_view text) const {
        auto key = VerifierKey::parse(text);
        if (!key) return bad(key.error().what.fr, key.error().what.en);
        return key;
    }

    Status take_log(const Words& words) {
        if (words.size() < 2 || words.size() > 3)
            return bad("attendu : log CLÉ [URL]", "expected: log VKEY [URL]");
        VerifierKey key = TRY(parse_key(words[1]));
        for (const auto& other : policy_.logs_)
            if (other.key.key == key.key) return bad("clé de journal répétée", "repeated log key");
        policy_.logs_.push_back({std::move(key), std::string(words.size() > 2 ? words[2] : "")});
        return {};
    }

    Status take_witness(const Words& words) {
        if (words.size() < 3 || words.size() > 4)
            return bad("attendu : witness NOM CLÉ [URL]", "expected: witness NAME VKEY [URL]");
        VerifierKey key = TRY(parse_key(words[2]));
        if (key.type == KeyType::Ed25519)
            return bad("un témoin signe avec une clé de type 4 ou 6",
                       "a witness signs with a key of type 4 or 6");
        for (const auto& other : policy_.witnesses_)
            if (other.key.key == key.key)
                return bad("clé de témoin répétée", "repeated witness key");
        TRY_STATUS(define(words[1], {policy_.witnesses_.size(), 0, {}}));
        policy_.witnesses_.push_back(
            {std::string(words[1]), std::move(key), std::string(words.size() > 3 ? words[3] : "")});
        return {};
    }

    Status take_group(const Words& words) {
        if (words.size() < 4)
            return bad("attendu : group NOM all|any|K NOM…",
                       "expected: group NAME all|any|K NAME…");
        Policy::Part group;
        for (std::size_t i = 3; i < words.size(); ++i) {
            const auto member = names_.find(words[i]);
            if (member == names_.end())
                return bad("membre non défini plus haut", "member not defined on a line above");
            if (!grouped_.insert(member->second).second)
                return bad("un nom n'est membre qu'une fois", "a name may be a member only once");
            group.members.push_back(member->second);
        }
        const auto threshold = words[2] == "all"   ? group.members.size()
                               : words[2] == "any" ? 1
                                                   : parse_decimal(words[2]).value_or(0);
        if (threshold < 1 || threshold > group.members.size())
            return bad("seuil hors de 1 à " + std::to_string(group.members.size()),
                       "threshold outside 1 to " + std::to_string(group.members.size()));
        group.threshold = static_cast<std::size_t>(threshold);
        return define(words[1], std::move(group));
    }

    Status take_quorum(const Words& words) {
        if (words.size() != 2) return bad("attendu : quorum NOM", "expected: quorum NAME");
        if (quorum_seen_) return bad("deuxième ligne « quorum »", "second quorum line");
        quorum_seen_ = true;
        if (words[1] == "none") return {};
        const auto name = names_.find(words[1]);
        if (name == names_.end())
            return bad("nom non défini plus haut", "name not defined on a line above");
        policy_.quorum_ = name->second;
        return {};
    }

    Status define(std::string_view name, Policy::Part part) {
        if (name == "none" || !names_.emplace(name, policy_.parts_.size()).second)
            return bad("nom déjà pris", "name already taken");
        policy_.parts_.push_back(std::move(part));
        return {};
    }

    Policy policy_;
    std::map<std::string, std::size_t, std::less<>> names_;
    std::set<std::size_t> grouped_;
    std::size_t line_ = 0;
    bool quorum_seen_ = false;
};

Result<Policy> Policy::parse(std::string_view text) {
    return PolicyParser().parse(text);
}

Policy Policy::trusting(VerifierKey log) {
    Policy policy;
    policy.logs_.push_back({std::move(log), ""});
    return policy;
}

bool Policy::reached(const std::vector<bool>& seen) const {
    if (!quorum_) return true;
    // Members are defined before their groups, so one pass decides all.
    std::vector<bool> holds(parts_.size());
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        const Part& part = parts_[i];
        const auto count =
            std::ranges::count_if(part.members, [&](std::size_t member) { return holds[member]; });
        holds[i] =
            part.witness ? seen[*part.witness] : static_cast<std::size_t>(count) >= part.threshold;
    }
    return holds[*quorum_];
}

Result<std::size_t> Policy::judge_log(const SignedCheckpoint& checkpoint) const {
    std::vector<std::size_t> candidates;
    std::vector<const VerifierKey*> keys;
    for (std::size_t i = 0; i < logs_.size(); ++i) {
        if (logs_[i].key.name != checkpoint.checkpoint.origin) continue;
        candidates.push_back(i);
        keys.push_back(&logs_[i].key);
    }
    const auto verified = TRY(verify_note(checkpoint.note, keys));
    if (verified.empty()) return not_signed(checkpoint.checkpoint.origin);
    return candidates[verified[0].key];
}

Result<Endorsement> Policy::judge(const SignedCheckpoint& checkpoint, const Moment& moment) const {
    Endorsement endorsement;
    endorsement.log = TRY(judge_log(checkpoint));
    std::vector<const VerifierKey*> keys;
    for (const Witness& witness : witnesses_) keys.push_back(&witness.key);
    std::vector<std::optional<std::uint64_t>> newest(witnesses_.size());
    for (const Verified& verified : TRY(verify_note(checkpoint.note, keys))) {
        if (from_the_future(verified.time, moment.now)) continue;
        newest[verified.key] = std::max(newest[verified.key].value_or(0), verified.time);
    }
    std::vector<bool> seen(witnesses_.size());
    std::vector<bool> fresh(witnesses_.size());
    for (std::size_t i = 0; i < witnesses_.size(); ++i) {
        seen[i] = newest[i].has_value();
        fresh[i] = seen[i] && !too_old(*newest[i], moment);
        if (fresh[i]) endorsement.cosigners.push_back({i, *newest[i]});
    }
    if (!reached(seen))
        return fail(
            Code::Forged,
            {"le quorum des témoins n'est pas atteint", "the quorum of witnesses is not reached"},
            {"n'acceptez pas ce point de contrôle avant que d'autres témoins l'aient cosigné",
             "do not accept this checkpoint until more witnesses have cosigned it"});
    if (!reached(fresh) || (moment.max_age && !quorum_))
        return fail(
            Code::Stale,
            {"aucun quorum de témoins assez récent", "no quorum of witnesses is recent enough"},
            {"demandez au journal un point de contrôle récent ; un journal figé peut cacher une "
             "remise en "
             "arrière (l'âge ne se vérifie qu'avec des témoins)",
             "ask the log for a recent checkpoint; a frozen log may hide a rollback (age can only "
             "be checked "
             "with witnesses)"});
    return endorsement;
}

}  // namespace hygie::ledger
