#include "vault/verify.h"

#include <algorithm>

#include "fhir/data/json.h"
#include "vault/stamp.h"
#include "vault/varint.h"
#include "vault/vault_state.h"

namespace hygie::vault {
namespace {

struct CommitRows {
    std::uint64_t counter = 0;
    std::uint64_t first_row = 0;
    std::uint64_t rows = 0;
};

class Check {
  public:
    Check(Shelf& shelf, const Evidence& evidence, Verified& verified)
        : shelf_(shelf), evidence_(evidence), verified_(verified) {}

    /// Counters from the last commit to this one that are no commits here.
    Status others(std::uint64_t first, std::uint64_t end) {
        for (std::uint64_t counter = first; counter < end; ++counter)
            if (TRY(seen(counter)).digest) report(Rot::Kind::Missing, counter, 0);
        return {};
    }

    Status commit(const CommitRows& commit) {
        ++verified_.commits;
        std::vector<crypto::Hash> hashes;
        std::size_t damaged = 0;
        for (std::uint64_t row = commit.first_row; row < commit.first_row + commit.rows; ++row) {
            ++verified_.versions;
            const auto stored =
                TRY(shelf_.store().get(Table::Bodies, {static_cast<std::int64_t>(row)}));
            hashes.push_back(stored ? hash_of_body(*stored) : crypto::Hash{});
            damaged += static_cast<std::size_t>(!TRY(version(commit.counter, row, stored)));
        }
        const Seen told = TRY(seen(commit.counter));
        if (!told.digest && !told.is_erased)
            report(Rot::Kind::Evidence, commit.counter, 0);
        else if (told.digest && *told.digest != commit_digest(commit.first_row, hashes) &&
                 damaged == 0)
            report(Rot::Kind::Commit, commit.counter, 0);
        return {};
    }

  private:
    /// What the ledger still tells of a commit: a trace that was erased, or whose time is over,
    /// tells nothing, and that is no fault. Its versions are checked all the same.
    struct Seen {
        std::optional<crypto::Hash> digest{};
        bool is_erased = false;
    };
    Result<Seen> seen(std::uint64_t counter) {
        auto digest = evidence_.digest_of(counter);
        if (digest) return Seen{.digest = *digest};
        if (digest.error().code == Code::Erased) return Seen{.is_erased = true};
        return std::unexpected(digest.error());
    }

    void report(Rot::Kind kind, std::uint64_t commit, std::uint64_t row) {
        if (verified_.rot.size() < kRotMax) verified_.rot.push_back({kind, commit, row});
    }

    /// Whether what is stored is whole; more is checked of what is.
    Result<bool> version(std::uint64_t commit, std::uint64_t row,
                         const std::optional<Bytes>& stored) {
        if (stored && !compartment_of_body(*stored)) {
            ++verified_.erased;
            return true;
        }
        const auto body = stored ? shelf_.stored_body(row) : Result<Body>(nothing_there());
        auto document = body ? fhir::parse(body->text) : Result<fhir::Document>(nothing_there());
        if (!body || !document) {
            // A patient may have been erased since the row was read.
            if (!body && body.error().code == Code::Erased) return true;
            report(Rot::Kind::Version, commit, row);
            return false;
        }
        if (!TRY(continues(*body))) report(Rot::Kind::Chain, commit, row);
        if (!TRY(is_indexed(document->root, *body, row))) report(Rot::Kind::Index, commit, row);
        return true;
    }

    Result<bool> continues(const Body& body) {
        if (body.previous == 0) return body.version == 1;
        const auto previous = shelf_.stored_body(body.previous);
        if (!previous) return previous.error().code == Code::Erased;
        return previous->version + 1 == body.version && previous->updated <= body.updated;
    }

    /// The index shows this version, or a newer one.
    Result<bool> is_indexed(fhir::Json resource, const Body& body, std::uint64_t row) {
        const std::string_view type = resource["resourceType"].text();
        const std::string_view id = resource["id"].text();
        const auto known = shelf_.known(shelf_.place_of(type, id), type, id);
        if (!known || !*known) return false;
        if ((*known)->version > body.version) return true;
        if (!TRY(is_placed(type, id, row))) return false;
        return (*known)->version == body.version && (*known)->row == row &&
               (*known)->deleted == body.deleted;
    }

    /// The place shows this row, or another version of the same resource; that of an earlier vault
    /// keeps no row.
    Result<bool> is_placed(std::string_view type, std::string_view id, std::uint64_t row) {
        const auto place = TRY(shelf_.place_at(shelf_.place_of(type, id)));
        if (!place) return false;
        if (place->row == 0 || place->row == row) return true;
        const auto shown = shelf_.stored_body(place->row);
        return shown && is_text_of(shown->text, type, id);
    }

    Shelf& shelf_;
    const Evidence& evidence_;
    Verified& verified_;
};

}  // namespace

Text describe(const Rot& rot) {
    const std::string commit = std::to_string(rot.commit);
    const std::string row = std::to_string(rot.row);
    switch (rot.kind) {
        case Rot::Kind::Version:
            return {"la version " + row + " de l'écriture " + commit + " est abîmée ou absente",
                    "version " + row + " of commit " + commit + " is damaged or gone"};
        case Rot::Kind::Commit:
            return {"l'écriture " + commit + " n'est pas celle que le journal a vue",
                    "commit " + commit + " is not the one that the ledger saw"};
        case Rot::Kind::Evidence:
            return {"le journal ne connaît pas l'écriture " + commit,
                    "the ledger does not know commit " + commit};
        case Rot::Kind::Chain:
            return {"la version " + row + " ne continue pas la précédente",
                    "version " + row + " does not continue the one before it"};
        case Rot::Kind::Index:
            return {"l'index ne montre pas la version " + row,
                    "the index does not show version " + row};
        case Rot::Kind::Missing:
            break;
    }
    return {"le journal connaît l'écriture " + commit + ", qui manque ici",
            "the ledger knows commit " + commit + ", which is missing here"};
}

Result<Verified> Vault::verify(Verified before, const Evidence& evidence, std::size_t rows_max) {
    // Only what the ledger has acknowledged: later commits may still be on their way to it.
    const std::uint64_t last = state_->writer.acknowledged();
    std::vector<CommitRows> commits;
    std::uint64_t rows = 0;
    TRY_STATUS(state_->shelf.store().scan(
        Table::Commits, {static_cast<std::int64_t>(before.next_commit)},
        {static_cast<std::int64_t>(last)}, [&](Key key, ByteView value) {
            VarintReader in(value);
            commits.push_back({static_cast<std::uint64_t>(key.major), in.number(), in.number()});
            rows += commits.back().rows;
            return rows < rows_max;
        }));
    Check check(state_->shelf, evidence, before);
    for (const CommitRows& commit : commits) {
        TRY_STATUS(check.others(before.next_commit, commit.counter));
        TRY_STATUS(check.commit(commit));
        before.next_commit = commit.counter + 1;
    }
    if (rows < rows_max) {
        TRY_STATUS(check.others(before.next_commit, last + 1));
        before.next_commit = last + 1;
        before.done = true;
    }
    return before;
}

}  // namespace hygie::vault
