#pragma once

#include <string>
#include <vector>

#include "guards/mail/facts/evidence.h"

/// The facts of a message that outlive its judgement.
namespace hygie::mail {

/// What a door needs beside the verdict: to remember honest mail, to take active files out.
struct Noted {
    bool is_authentic = false;         ///< the From domain is proven
    std::vector<std::string> ibans{};  ///< valid ones, without blanks
    /// Names of the attachments that run, or run something, when they are opened.
    std::vector<std::string> active_files{};
};

Noted noted_of(const Evidence& evidence);
/// Whether a file with that capability does something by itself once opened.
bool is_active(Capability capability);

}  // namespace hygie::mail
