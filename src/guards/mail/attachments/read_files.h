#pragma once

#include "base/bytes.h"
#include "guards/mail/facts/evidence.h"
#include "guards/mail/message/message.h"

namespace hygie::mail {

/// What the attachments of a message hold, read in the sandboxed child. A message with nothing to
/// read costs nothing. When the child dies or takes too long, what can be told by names and first
/// bytes is told, and `crashed` or `incomplete` says so.
AttachmentFacts read_files(const Message& message);

/// The child's work, from question to answer (FORMAT.md): for the sandbox, tests and fuzzers.
Bytes answer_question(ByteView question);
Bytes question_of(const Message& message, const std::vector<std::string>& passwords,
                  bool look_for_qr);
/// The files of a question, and facts spelled as an answer: for recognise.h.
struct NamedBytes {
    std::string name;
    std::string bytes;
};
std::vector<NamedBytes> files_of_question(ByteView question);
Bytes spell_facts(const AttachmentFacts& facts);
/// Never fails on hostile bytes: what is not understood is left out.
AttachmentFacts facts_of_answer(ByteView answer);

}  // namespace hygie::mail
