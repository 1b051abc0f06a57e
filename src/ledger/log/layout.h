#pragma once

#include <string>

#include "host/disk.h"

/// Where things are in a ledger's directory. `checkpoint` and `tile/` are the served log (C2SP
/// tlog-tiles); what is under `private/` is never served.
namespace hygie::ledger::layout {

inline std::string checkpoint(const std::string& dir) {
    return join(dir, "checkpoint");
}
/// One verifier key per line, oldest first; the last one signs.
inline const std::string kVerifierKeys = "log.vkey";
inline std::string verifier_keys(const std::string& dir) {
    return join(dir, kVerifierKeys);
}
/// The minimum index of a pruned log, in decimal; absent when nothing was pruned.
inline std::string pruned(const std::string& dir) {
    return join(dir, "pruned");
}
inline std::string private_dir(const std::string& dir) {
    return join(dir, "private");
}
inline std::string lock(const std::string& dir) {
    return join(dir, "private/lock");
}
/// Where the process that holds the ledger open listens to commands
/// (app/ledger/control_listener.h); there only while it runs.
inline const std::string kControl = "control";
inline std::string control(const std::string& dir) {
    return join(private_dir(dir), kControl);
}
inline std::string root_key(const std::string& dir) {
    return join(dir, "private/root.hyk");
}
inline std::string key_table(const std::string& dir) {
    return join(dir, "private/keys");
}
/// The key that wraps the key table, sealed under the root.
inline std::string wrapping(const std::string& dir) {
    return join(dir, "private/wrapping");
}
inline std::string wal(const std::string& dir) {
    return join(dir, "private/wal");
}
inline std::string index(const std::string& dir) {
    return join(dir, "private/index");
}
/// Settled size and sources, sealed.
inline std::string state(const std::string& dir) {
    return join(dir, "private/state");
}
/// Name, epoch and private key of the log, sealed under a key that can be destroyed.
inline std::string signer(const std::string& dir) {
    return join(dir, "private/signer");
}
/// The last checkpoint this log signed: durable before anybody sees it, so that a crash cannot make
/// the log fork.
inline std::string signed_checkpoint(const std::string& dir) {
    return join(dir, "private/signed");
}

}  // namespace hygie::ledger::layout
