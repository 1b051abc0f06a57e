#include "ledger/proofs/witness_client.h"

#include <algorithm>
#include <thread>

#include "ledger/tree/canonical.h"

namespace hygie::ledger {
namespace {

constexpr std::size_t kAnswerBytesMax = 64 << 10;
constexpr std::int64_t kDriftSecondsMax =
    std::chrono::duration_cast<std::chrono::seconds>(kClockTolerance).count();
constexpr int kOk = 200;
constexpr int kConflict = 409;

}  // namespace

/// One witness being asked, in its own thread.
class WitnessClient::Ask {
  public:
    Ask(const WitnessClient& client, const Policy::Witness& witness,
        const SignedCheckpoint& checkpoint, std::uint64_t& size)
        : client_(client),
          witness_(witness),
          checkpoint_(checkpoint),
          size_(size),
          end_(client.clock_.steady() + client.deadline_) {}

    Result<NoteSignature> run() {
        const std::uint64_t ours = checkpoint_.checkpoint.size;
        FetchResponse answer = TRY(submit(std::min(size_, ours)));
        if (answer.status == kConflict) {
            size_ = TRY(told_size(answer));
            if (size_ > ours)
                return no(
                    Code::Forged,
                    "a déjà vu " + std::to_string(size_) + " entrées, plus que ce journal n'en a",
                    "has already seen " + std::to_string(size_) +
                        " entries, more than this log has");
            answer = TRY(submit(size_));
        }
        if (answer.status != kOk)
            return no(Code::Denied, "refuse (HTTP " + std::to_string(answer.status) + ")",
                      "refuses (HTTP " + std::to_string(answer.status) + ")");
        NoteSignature cosignature = TRY(cosignature_in(answer));
        size_ = ours;
        return cosignature;
    }

  private:
    std::unexpected<Error> no(Code code, const std::string& fr, const std::string& en) const {
        return fail(
            code, {"le témoin " + witness_.name + " " + fr, "witness " + witness_.name + " " + en},
            {"vérifiez l'adresse et la clé de ce témoin, et demandez à son responsable ce qu'il "
             "voit",
             "check the address and key of this witness, and ask its owner what it sees"});
    }

    Result<FetchResponse> submit(std::uint64_t old_size) const {
        const Proof proof = TRY(client_.prove_(old_size, checkpoint_.checkpoint.size));
        std::string body = "old " + std::to_string(old_size) + '\n';
        for (const crypto::Hash& hash : proof) body += hash_text(hash) + '\n';
        body += '\n' + checkpoint_.encode();
        FetchRequest request;
        request.method = "POST";
        request.url = witness_.url + (witness_.url.ends_with('/') ? "" : "/") + "add-checkpoint";
        request.content_type = "text/plain; charset=utf-8";
        request.body = to_bytes(as_bytes(body));
        request.timeout = std::chrono::duration_cast<Micros>(end_ - client_.clock_.steady());
        request.response_bytes_max = kAnswerBytesMax;
        if (request.timeout <= Micros(0))
            return no(Code::Unavailable, "n'a pas répondu à temps", "did not answer in time");
        auto answer = client_.fetch_.fetch(request);
        if (!answer)
            return no(Code::Unavailable, "ne répond pas : " + answer.error().what.fr,
                      "does not answer: " + answer.error().what.en);
        return answer;
    }

    Result<std::uint64_t> told_size(const FetchResponse& answer) const {
        std::string_view text = as_text(answer.body);
        const auto line = take_line(text);
        const auto size = parse_decimal(line.value_or(""));
        if (!size || !text.empty() || !answer.content_type.starts_with("text/x.tlog.size"))
            return no(Code::Unavailable, "répond autre chose que le protocole",
                      "answers outside the protocol");
        return *size;
    }

    /// The witness's own line among those it answered; lines of other keys are ignored.
    Result<NoteSignature> cosignature_in(const FetchResponse& answer) const {
        const auto lines = parse_signatures(as_text(answer.body));
        if (!lines)
            return no(Code::Unavailable, "répond autre chose que le protocole",
                      "answers outside the protocol");
        const VerifierKey* key = &witness_.key;
        for (const NoteSignature& line : *lines) {
            const auto verified = verify_note({checkpoint_.note.text, {line}}, {&key, 1});
            if (!verified)
                return no(Code::Forged, "donne une fausse signature", "gives a false signature");
            if (verified->empty()) continue;
            const auto now = std::chrono::floor<std::chrono::seconds>(client_.clock_.now())
                                 .time_since_epoch()
                                 .count();
            const auto drift = static_cast<std::int64_t>(verified->front().time) - now;
            if (drift > kDriftSecondsMax || drift < -kDriftSecondsMax)
                return no(Code::Forged, "date sa signature d'une autre heure que la nôtre",
                          "dates its signature at another time than ours");
            return line;
        }
        return no(Code::Unavailable, "ne signe pas avec sa clé", "does not sign with its key");
    }

    const WitnessClient& client_;
    const Policy::Witness& witness_;
    const SignedCheckpoint& checkpoint_;
    std::uint64_t& size_;
    const SteadyTime end_;
};

WitnessClient::WitnessClient(Fetch& fetch, Clock& clock, const Policy& policy, ProofSource prove,
                             Micros deadline)
    : fetch_(fetch),
      clock_(clock),
      policy_(policy),
      prove_(std::move(prove)),
      deadline_(deadline),
      sizes_(policy.witnesses().size()) {}

std::vector<Cosigned> WitnessClient::collect(const SignedCheckpoint& checkpoint) {
    std::vector<Cosigned> answers;
    for (const Policy::Witness& witness : policy_.witnesses())
        answers.push_back({witness.name, fail(Code::NotFound,
                                              {"le témoin " + witness.name + " n'a pas d'adresse",
                                               "witness " + witness.name + " has no URL"},
                                              {"ajoutez son adresse à sa ligne « witness »",
                                               "add its URL to its witness line"})});
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < answers.size(); ++i) {
            const Policy::Witness& witness = policy_.witnesses()[i];
            if (witness.url.empty()) continue;
            threads.emplace_back(
                [this, &answer = answers[i], &witness, &checkpoint, &size = sizes_[i]] {
                    answer.cosignature = Ask(*this, witness, checkpoint, size).run();
                });
        }
    }
    return answers;
}

}  // namespace hygie::ledger
