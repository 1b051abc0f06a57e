#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/clock.h"
#include "host/disk.h"
#include "host/random.h"
#include "ledger/proofs/policy.h"
#include "ledger/proofs/witness.h"
#include "serve/http_server.h"

namespace hygie::app {

/// A witness's folder: its name and private key, the logs it knows, and what it remembers of each.
class WitnessHome {
  public:
    WitnessHome(Disk& disk, std::string dir) : disk_(disk), dir_(std::move(dir)) {}

    bool exists() const;
    /// Makes the folder and the key. Code::BadInput for a name no key can bear, Code::AlreadyThere
    /// when the folder is a witness's already.
    Status create(Random& random, const std::string& name) const;
    /// Code::NotFound when this is no witness's folder.
    Result<ledger::NoteSigner> signer() const;
    /// The keys of the logs it knows.
    Result<std::vector<ledger::Policy::Log>> logs() const;
    /// Makes a log known, from the witness's next start on; nothing happens when it was.
    Status trust(const ledger::VerifierKey& log) const;

    std::string memory() const;

  private:
    Disk& disk_;
    std::string dir_;
};

/// A witness that answers logs over HTTP until this is destroyed.
struct ServedWitness {
    std::unique_ptr<ledger::Witness> witness;
    std::unique_ptr<serve::HttpServer> server;
};

Result<ServedWitness> serve_witness(Disk& disk, Clock& clock, const WitnessHome& home,
                                    const std::string& listen);

}  // namespace hygie::app
