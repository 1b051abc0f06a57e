#pragma once

#include <string>
#include <vector>

#include "app/line/context.h"
#include "crypto/keyring.h"

/// How commands open and seal the root key: one way for all.
namespace hygie::app {

/// --passphrase-file: every command that calls unlock() declares it.
Parameter passphrase_file_option();

/// Opens the root key at `path` in the way its file asks for: the key file or credential it names,
/// or a passphrase from --passphrase-file, else typed.
Result<crypto::RootKey> unlock(Context& context, const std::string& path);

/// --seal, --credential, --key-file, --new-passphrase-file: for commands that call new_sealing().
std::vector<Parameter> new_sealing_options();

/// The seal those options ask for; a typed passphrase is asked twice.
Result<crypto::Sealing> new_sealing(Context& context);

}  // namespace hygie::app
